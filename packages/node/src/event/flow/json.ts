import { flowLimits } from './limits.ts'

/**
 * Parses JSON from a guest. What is nested deeply is refused by a bound of our own: the engine's, which writing the value
 * again would meet, differs between machines.
 * @returns the value, or what is wrong
 */
export function readJson(text: string): { readonly value: unknown } | { readonly problem: string } {
  const { jsonDepth } = flowLimits
  if (depthOf(text) > jsonDepth) return { problem: `JSON that is nested more than ${jsonDepth} levels` }
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return { problem: 'not JSON' }
  }
}

/** Brackets that are open at the deepest place; those within strings are text. */
function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!
    if (inString && char === '\\') i++
    else if (char === '"') inString = !inString
    else if (inString) continue
    else if (char === '[' || char === '{') deepest = Math.max(deepest, ++depth)
    else if (char === ']' || char === '}') depth--
  }
  return deepest
}

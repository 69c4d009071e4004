import type { Positions } from './body-writer.ts'
import { parseModule } from './parse.ts'
import { rewriteModule } from './rewrite.ts'

/**
 * Tells where in the original file an instruction of the prepared file comes from, for stack traces and source maps. The
 * rewriting is done again with its steps recorded, which takes as long as the first time.
 * @param original a module that was prepared once
 * @returns maps an offset in the prepared file, as V8's traces give it, to one in the original. Code that the rewriter
 * inserted counts as the instruction before it; for code of the rewriter's own functions the answer is undefined.
 */
export function originalOffsets(original: Uint8Array): (preparedOffset: number) => number | undefined {
  const positions: Positions[] = []
  const prepared = rewriteModule(parseModule(original), undefined, positions)
  const bodies = parseModule(prepared).bodies.slice(0, positions.length)
  return (offset) => {
    const index = lastAtOrBefore(bodies.length, (n) => bodies[n]!.start, offset)
    if (index < 0 || offset >= bodies[index]!.end) return undefined
    return within(positions[index]!, offset - bodies[index]!.start)
  }
}

/** @param at counted from the first byte of a body, which is where its locals are declared */
function within(pairs: Positions, at: number): number {
  const run = Math.max(
    0,
    lastAtOrBefore(pairs.length / 2, (n) => pairs[2 * n]!, at),
  )
  const [written, source] = [pairs[2 * run]!, pairs[2 * run + 1]!]
  const next = pairs[2 * run + 3]
  const found = source + Math.max(0, at - written)
  return next === undefined ? found : Math.min(found, next - 1)
}

/** The greatest index whose key is not above `wanted`, or −1; the keys ascend. */
function lastAtOrBefore(count: number, keyOf: (index: number) => number, wanted: number): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (keyOf(middle) <= wanted) low = middle + 1
    else high = middle
  }
  return low - 1
}

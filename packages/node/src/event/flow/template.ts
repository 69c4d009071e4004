import type { Fields } from './fields.ts'

/** A text with fields in braces, such as `stations/{$group}/mean`. */
export interface Template {
  readonly parts: readonly ({ readonly text: string } | { readonly field: string })[]
}

const place = /\{([^{}]*)\}/g

/** @returns the template, or what is wrong with the text */
export function readTemplate(text: string): Template | { readonly problem: string } {
  const parts: Template['parts'][number][] = []
  let end = 0
  for (const match of text.matchAll(place)) {
    const field = match[1]!.trim()
    if (field === '') return { problem: 'names no field between braces' }
    if (match.index > end) parts.push({ text: text.slice(end, match.index) })
    parts.push({ field })
    end = match.index + match[0].length
  }
  if (end < text.length) parts.push({ text: text.slice(end) })
  const lone = parts.some((part) => 'text' in part && /[{}]/.test(part.text))
  return lone ? { problem: 'has a brace without its other' } : { parts }
}

/** @param check looks at each value before it is put in, and throws when it may not be. @throws SinkRefusal */
export function fillTemplate(
  { parts }: Template,
  fields: Fields,
  check: (value: string, field: string) => void = () => {},
): string {
  return parts
    .map((part) => {
      if ('text' in part) return part.text
      const value = fields.text(part.field)
      check(value, part.field)
      return value
    })
    .join('')
}

/** Whether the text is the same for all results. */
export function isConstant({ parts }: Template): boolean {
  return parts.every((part) => 'text' in part)
}

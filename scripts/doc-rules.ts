import type { Command } from 'commander'

/** Something in a document that is not so. */
export interface DocProblem {
  readonly line: number
  readonly message: string
}

/** Relative links of a Markdown text, without their anchors. */
export function relativeLinks(text: string): { target: string; line: number }[] {
  const links = outsideCode(text).flatMap(({ text: shown, line }) =>
    [...shown.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => ({ target: (match[1] ?? '').replace(/#.*$/, ''), line })),
  )
  return links.filter(({ target }) => target !== '' && !/^[a-z]+:/i.test(target))
}

/** Names of the npm scripts that a text tells its reader to run. */
export function npmScripts(text: string): { name: string; line: number }[] {
  return text.split('\n').flatMap((shown, i) =>
    [...shown.matchAll(/\bnpm run (?:--silent )?([a-z][a-z0-9:-]*)/g)].map((match) => ({
      name: match[1] ?? '',
      line: i + 1,
    })),
  )
}

/** Command lines of `w3bstream` in code blocks and code spans. */
export function commandLines(text: string): { words: string[]; line: number }[] {
  const found: { words: string[]; line: number }[] = []
  let inBlock = false
  let rest = ''
  text.split('\n').forEach((shown, i) => {
    if (/^\s*(```|~~~)/.test(shown)) inBlock = !inBlock
    // A line that ends with a backslash goes on in the next one.
    const whole = rest + shown
    rest = inBlock && whole.endsWith('\\') ? `${whole.slice(0, -1)} ` : ''
    if (rest) return
    const parts = inBlock ? [whole] : [...whole.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '')
    for (const part of parts) {
      const match = /(?:^|[|;&(]\s*|\$\s+|npx )w3bstream\s+([^|;&)#>]*)/.exec(part)
      if (match) found.push({ words: (match[1] ?? '').trim().split(/\s+/), line: i + 1 })
    }
  })
  return found
}

/** What a command line names and the program does not have; undefined when it is right. */
export function commandProblem(program: Command, words: readonly string[]): string | undefined {
  let command = program
  let at = 0
  for (; at < words.length && command.commands.length > 0; at++) {
    const word = words[at] ?? ''
    // `project create|list` and `project …` speak of several commands.
    const names = word.split('|')
    if (!/^[a-z]/.test(word) || word === 'help') return undefined
    const next = names.map((name) => command.commands.find((child) => child.name() === name))
    if (next.includes(undefined)) return `there is no command "${[...words.slice(0, at), word].join(' ')}"`
    if (names.length > 1) return undefined
    command = next[0]!
  }
  for (const word of words.slice(at)) {
    const flag = /^(--?[a-zA-Z][a-zA-Z-]*)/.exec(word)?.[1]
    if (!flag || flag === '--help' || flag === '-h' || flag === '--version') continue
    if (!command.options.some(({ long, short }) => long === flag || short === flag))
      return `${command.name()} has no flag ${flag}`
  }
  return undefined
}

function outsideCode(text: string): { text: string; line: number }[] {
  let inBlock = false
  return text.split('\n').flatMap((shown, i) => {
    const isFence = /^\s*(```|~~~)/.test(shown)
    if (isFence) inBlock = !inBlock
    return isFence || inBlock ? [] : [{ text: shown.replace(/`[^`]*`/g, ''), line: i + 1 }]
  })
}

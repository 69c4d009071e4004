import type { CliIo } from '../io.ts'
import type { Plan } from './plan.ts'

const colours = { '+': 'green', '~': 'yellow', '-': 'red' } as const

/** The lines of a plan for people. */
export function diffText(io: CliIo, { lines }: Plan): string {
  return lines
    .map(({ sign, what, detail }) => io.style(colours[sign], `${sign} ${what}`) + (detail ? `  ${detail}` : ''))
    .join('\n')
}

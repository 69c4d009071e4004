import type { Command } from 'commander'
import { type CommonOptions, type Context, createContext } from './context.ts'
import type { CliIo } from './io.ts'

/** Adds one command, or a group of them, to the program. */
export type Register = (parent: Command, io: CliIo) => void

/** Help text of examples, each a command line with what it does. */
export function examples(...lines: readonly (readonly [command: string, meaning: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length))
  const shown = lines.map(([command, meaning]) => `  $ ${command.padEnd(width)}   ${meaning}`)
  return `\nExamples:\n${shown.join('\n')}\n`
}

/** Runs an action with its context; commander hands over the arguments, then the options, then the command. */
export function action<O extends CommonOptions>(
  io: CliIo,
  run: (context: Context, options: O, ...args: string[]) => Promise<void>,
): (...given: unknown[]) => Promise<void> {
  return async (...given) => {
    const options = given.at(-2) as O
    await run(createContext(io, options), options, ...(given.slice(0, -2) as string[]))
  }
}

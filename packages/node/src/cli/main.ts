import { CommanderError } from 'commander'
import { version } from '../node/version.ts'
import { CliError, exitCodeOf } from './errors.ts'
import { type CliIo, processIo } from './io.ts'
import { errorJson, errorText } from './output.ts'
import { createProgram, usageError } from './program.ts'

/** Runs one command line; the process's exit code is the answer. */
export async function main(argv: readonly string[], io: CliIo): Promise<number> {
  try {
    await createProgram(io, version).parseAsync(argv, { from: 'user' })
    return 0
  } catch (thrown) {
    const error = thrown instanceof CommanderError ? usageError(thrown) : thrown
    // `w3bstream` and `w3bstream project` alone show their help, and did not do anything.
    if (error === undefined) return thrown instanceof CommanderError ? thrown.exitCode : 0
    if (argv.includes('--json')) io.err(`${JSON.stringify(errorJson(error))}\n`)
    else io.err(errorText(io, error))
    return error instanceof CliError && error.code === 'CLI_CHECK_FAILED' ? 1 : exitCodeOf(error)
  }
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2), processIo())

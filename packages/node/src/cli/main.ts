import { CommanderError } from 'commander'
import { version } from '../node/version.ts'
import { exitCodeOf, exitCodes } from './errors.ts'
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
    if (error === undefined) return (thrown as CommanderError).exitCode === 0 ? 0 : exitCodes.usage
    if (argv.includes('--json')) io.err(`${JSON.stringify(errorJson(error))}\n`)
    else io.err(errorText(io, error))
    return exitCodeOf(error)
  }
}

/** Runs the command line of this process. */
export async function runProcess(): Promise<void> {
  endWithReader()
  process.exitCode = await main(process.argv.slice(2), processIo())
}

/** Ends quietly when nobody reads the output any more, as in `w3bstream logs -f | head`. */
function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(0)
  })
}

if (import.meta.main) await runProcess()

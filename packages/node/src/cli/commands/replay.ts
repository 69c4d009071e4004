import { type Context, createContext, withJson } from '../context.ts'
import { examples, type Register } from '../define.ts'
import { CliError } from '../errors.ts'
import type { CliIo } from '../io.ts'
import { DataDirectory, type DataDirectoryOptions, withDataDirectory } from '../offline/data-directory.ts'
import { printableText } from '../output.ts'

interface Options extends DataDirectoryOptions {
  readonly json?: boolean
  readonly from?: string
  readonly to?: string
  readonly keepGoing?: boolean
}

/** Differences that are printed; the rest is counted. */
const printedDifferences = 100

export const registerReplay: Register = (parent, io) => {
  withJson(withDataDirectory(parent.command('replay')))
    .description("execute a project's stored batches again on a copy, and compare every receipt and the state")
    .argument('<project>', 'name or id of the project')
    .option('--from <HEIGHT>', 'first batch to compare (default: 1)')
    .option('--to <HEIGHT>', 'last batch (default: the last of the history)')
    .option('--keep-going', 'go on behind a batch that differs')
    .addHelpText(
      'after',
      examples(
        ['w3bstream replay weather', 'beside the running node, or without it; exit code 1 when something differs'],
        [
          'w3bstream replay weather --from 1000 --to 1100',
          'from the nearest snapshot below 1000, else from the beginning',
        ],
        [
          'w3bstream replay weather --data-dir /var/lib/w3bstream --json',
          'a JSON object per difference, then the summary',
        ],
      ),
    )
    .action(async (name: string, options: Options) => {
      await run(io, name, options)
    })
}

async function run(io: CliIo, name: string, options: Options): Promise<void> {
  const directory = new DataDirectory(io, options)
  const project = directory.project(name)
  const context = createContext(io, options)
  const range = { ...height('from', options.from), ...height('to', options.to) }
  const { replayDirectory } = await import('../offline/replay-directory.ts')
  let printed = 0
  const progress = progressLine(io, context)
  const summary = await replayDirectory(
    directory,
    project,
    { ...range, keepGoing: options.keepGoing === true },
    {
      onProgress: progress.show,
      onDifference(difference) {
        if (++printed > printedDifferences) return
        progress.clear()
        const { height: at, message, field, wanted, found } = difference
        context.print({ difference: { ...difference, height: String(at) } }, () =>
          printableText(
            `batch ${at}${message === undefined ? '' : ` message ${message}`} ${field}: the history has ${wanted}, the replay ${found}`,
          ),
        )
      },
    },
  )
  progress.clear()
  const { snapshot, batches, messages, durationMs, differences, stateCompared } = summary
  const rate = Math.round(messages / Math.max(durationMs / 1000, 0.001))
  const result = {
    same: differences === 0,
    from: String(summary.from),
    to: String(summary.to),
    start: snapshot ? { height: String(snapshot.height), file: snapshot.file } : null,
    batches,
    messages,
    differences,
    stateCompared,
    stateDigest: Buffer.from(summary.stateDigest).toString('hex'),
    durationMs: Math.round(durationMs),
    messagesPerSecond: rate,
  }
  context.print(result, () =>
    [
      `${differences === 0 ? io.style('green', '✓ the same') : io.style('red', `✗ ${differences} differences`)}: batches ${summary.from} to ${summary.to}, ${snapshot ? `from the snapshot at ${snapshot.height}` : 'from the beginning'}`,
      `${batches} batches, ${messages} messages, ${rate} messages/s${stateCompared ? '; keys, tables and definition compared' : ''}`,
    ].join('\n'),
  )
  if (differences > 0)
    throw new CliError({ code: 'CLI_CHECK_FAILED', detail: `the replay differs in ${differences} places` })
}

function height(name: 'from' | 'to', text: string | undefined): { from?: bigint; to?: bigint } {
  if (text === undefined) return {}
  if (!/^\d{1,19}$/.test(text)) throw new CliError({ code: 'CLI_USAGE', detail: `--${name} ${text} is not a height` })
  return { [name]: BigInt(text) }
}

/** One line on a terminal that is overwritten, some five times a second. */
function progressLine(io: CliIo, { json }: Context) {
  const wanted = io.interactive && !json
  let last = 0
  return {
    show: ({ height: at, to, messages }: { height: bigint; to: bigint; messages: number }) => {
      const now = Date.now()
      if (!wanted || now - last < 200) return
      last = now
      io.err(`\r\u001b[Kbatch ${at} of ${to}, ${messages} messages`)
    },
    clear: () => {
      if (wanted && last > 0) io.err('\r\u001b[K')
    },
  }
}

import { type CommonOptions, type Context, withNode } from '../context.ts'
import { action, examples, type Register } from '../define.ts'
import { CliError } from '../errors.ts'
import type { CliIo } from '../io.ts'
import { printableText } from '../output.ts'
import { type List, projectPath } from '../rows.ts'

interface Options extends CommonOptions {
  readonly project: string
  readonly follow?: boolean
  readonly lines: string
}

/** A log line of an applet, or of the host on its behalf. */
interface LogLine {
  readonly src?: string
  readonly level?: string | number
  readonly msg: string
  readonly logTime: string | number
  readonly eventID?: string
  readonly appletName?: string
}

export const registerLogs: Register = (parent, io) => {
  withNode(parent.command('logs'))
    .description("show the log lines of a project's applets")
    .requiredOption('-p, --project <NAME>', 'the project')
    .option('-f, --follow', 'go on with new lines until Ctrl-C')
    .option('-n, --lines <N>', 'how many of the latest lines', '100')
    .addHelpText(
      'after',
      examples(
        ['w3bstream logs --project weather', 'the latest 100 lines'],
        ['w3bstream logs -p weather -f', 'as they come'],
        ['w3bstream logs -p weather -f --json | jq \'select(.level == "error")\'', 'one JSON object per line'],
      ),
    )
    .action(action<Options>(io, showLogs))
}

async function showLogs(context: Context, options: Options): Promise<void> {
  const size = Number(options.lines)
  if (!Number.isSafeInteger(size) || size < 0)
    throw new CliError({ code: 'CLI_USAGE', detail: `--lines ${options.lines} is not a whole number` })
  const api = await context.api()
  const { io } = context
  if (size > 0) {
    const latest = await api.get<List<LogLine>>(projectPath('/wasmlog', options.project, '/datalist'), { size })
    for (const line of inOrder(latest.data ?? [])) printLine(context, line)
  }
  if (!options.follow) return
  const ending = new AbortController()
  const end = (): void => ending.abort()
  process.once('SIGINT', end)
  try {
    const path = projectPath('/project', options.project, '/events')
    for await (const event of api.events(path, {}, ending.signal))
      if (event.event === 'log') printLine(context, JSON.parse(event.data) as LogLine)
  } finally {
    process.off('SIGINT', end)
  }
  if (!ending.signal.aborted) io.err('the node ended the stream\n')
}

/** The node lists the latest first; people read downwards. */
function inOrder(lines: readonly LogLine[]): readonly LogLine[] {
  return [...lines].sort((a, b) => Number(timeOf(a)) - Number(timeOf(b)))
}

function printLine(context: Context, line: LogLine): void {
  context.print(line, () => logText(context.io, line))
}

function logText(io: CliIo, line: LogLine): string {
  const level = String(line.level ?? 'info')
  const colour = { error: 'red', warn: 'yellow', debug: 'gray' }[level] as 'red' | 'yellow' | 'gray' | undefined
  const shownLevel = level.padEnd(5)
  const head = `${io.style('gray', timeOf(line).toISOString())} ${colour ? io.style(colour, shownLevel) : shownLevel}`
  return `${head} ${line.appletName ? `${printableText(line.appletName)} ` : ''}${printableText(line.msg)}`
}

function timeOf({ logTime }: LogLine): Date {
  return new Date(logTime)
}

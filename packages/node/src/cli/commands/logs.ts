import type { ApiClient } from '../api-client.ts'
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
  readonly src: string
  readonly level: string
  readonly msg: string
  /** RFC 3339. */
  readonly logTime: string
  readonly eventID: string
  readonly appletID: string
  /** Grows with time. */
  readonly row: number
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
  const path = projectPath('/wasmlog', options.project, '/datalist')
  // One line at least is asked for, to know where to go on.
  const latest = (await api.get<List<LogLine>>(path, { size: Math.max(1, size) })).data ?? []
  // The node lists the latest first; people read downwards.
  const lines = latest.slice(0, size).reverse()
  for (const line of lines) printLine(context, line)
  if (options.follow) await follow(context, api, options.project, latest[0]?.row ?? 0)
}

/** @param after the last line that was shown; what came since is not lost between the two requests */
async function follow(context: Context, api: ApiClient, project: string, after: number): Promise<void> {
  const ending = new AbortController()
  const end = (): void => ending.abort()
  process.once('SIGINT', end)
  try {
    for await (const { event, data } of api.events(
      projectPath('/project', project, '/events'),
      { type: 'log', after },
      ending.signal,
    )) {
      if (event === 'log') printLine(context, JSON.parse(data) as LogLine)
      else if (event === 'end') context.note(`the node ended the stream: ${printableText(data)}`)
    }
  } finally {
    process.off('SIGINT', end)
  }
}

function printLine(context: Context, line: LogLine): void {
  context.print(line, () => logText(context.io, line))
}

const colours: Readonly<Record<string, 'red' | 'yellow' | 'gray'>> = {
  panic: 'red',
  fatal: 'red',
  error: 'red',
  warning: 'yellow',
  debug: 'gray',
  trace: 'gray',
}

function logText(io: CliIo, { logTime, level, msg }: LogLine): string {
  const shown = level.padEnd(7)
  const colour = colours[level]
  return `${io.style('gray', logTime)} ${colour ? io.style(colour, shown) : shown} ${printableText(msg)}`
}

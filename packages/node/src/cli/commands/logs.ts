import { dirname, resolve } from 'node:path'
import type { SourceMapFile } from '@w3bstream/applet-sdk/tool'
import type { ApiClient } from '../api-client.ts'
import { rootSourceMap } from '../applet-tool.ts'
import { type CommonOptions, type Context, withNode } from '../context.ts'
import { action, examples, type Register } from '../define.ts'
import { CliError } from '../errors.ts'
import type { CliIo } from '../io.ts'
import { type LogLine, logText } from '../log-text.ts'
import { printableText } from '../output.ts'
import { type List, projectPath } from '../rows.ts'
import { readMap } from '../source-maps/map-store.ts'
import { Traces } from '../source-maps/traces.ts'

interface Options extends CommonOptions {
  readonly project: string
  readonly follow?: boolean
  readonly lines: string
  readonly map?: readonly string[]
}

export const registerLogs: Register = (parent, io) => {
  withNode(parent.command('logs'))
    .description("show the log lines of a project's applets")
    .requiredOption('-p, --project <NAME>', 'the project')
    .option('-f, --follow', 'go on with new lines until Ctrl-C')
    .option('-n, --lines <N>', 'how many of the latest lines', '100')
    .option(
      '--map <FILE>',
      'source map of a module that was not built on this machine, as "applet build" writes it; repeatable',
      (file: string, before: readonly string[] = []) => [...before, file],
    )
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
  const traces = new Traces(context.io, await readMaps(context.io, options.map ?? []))
  const api = await context.api()
  const path = projectPath('/wasmlog', options.project, '/datalist')
  // One line at least is asked for, to know where to go on.
  const latest = (await api.get<List<LogLine>>(path, { size: Math.max(1, size) })).data ?? []
  // The node lists the latest first; people read downwards.
  const lines = latest.slice(0, size).reverse()
  for (const line of lines) await printLine(context, line, traces)
  if (options.follow) await follow(context, api, { project: options.project, after: latest[0]?.row ?? 0, traces })
}

/** Maps that the caller names. @throws CliError CLI_FILE */
async function readMaps(io: CliIo, files: readonly string[]): Promise<readonly SourceMapFile[]> {
  return Promise.all(
    files.map(async (file) => {
      const path = resolve(io.cwd, file)
      const map = await readMap(path)
      if (!map) throw new CliError({ code: 'CLI_FILE', file, detail: 'is no source map of "applet build"' })
      return rootSourceMap(map, resolve(dirname(path), map.sourceRoot ?? '.'))
    }),
  )
}

/** @param from.after the last line that was shown; what came since is not lost between the two requests */
async function follow(
  context: Context,
  api: ApiClient,
  { project, after, traces }: { project: string; after: number; traces: Traces },
): Promise<void> {
  const ending = new AbortController()
  const end = (): void => ending.abort()
  process.once('SIGINT', end)
  try {
    for await (const { event, data } of api.events(
      projectPath('/project', project, '/events'),
      { type: 'log', after },
      ending.signal,
    )) {
      if (event === 'log') await printLine(context, JSON.parse(data) as LogLine, traces)
      else if (event === 'end') context.note(`the node ended the stream: ${printableText(data)}`)
    }
  } finally {
    process.off('SIGINT', end)
  }
}

async function printLine(context: Context, line: LogLine, traces: Traces): Promise<void> {
  const resolved = { ...line, msg: await traces.resolve(line.msg) }
  context.print(resolved, () => logText(context.io, resolved))
}

import { basename, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { InvalidArgumentError } from 'commander'
import { ApiClient } from '../api-client.ts'
import { confirm } from '../ask.ts'
import { type CommonOptions, type Context, withJson } from '../context.ts'
import { action, examples, type Register } from '../define.ts'
import type { OwnNode } from '../dev/own-node.ts'
import type { Screen } from '../dev/screen.ts'
import { CliError, exitCodes } from '../errors.ts'
import type { CliIo } from '../io.ts'

interface Options extends CommonOptions {
  readonly file: string
  readonly dataDir?: string
  readonly httpPort?: number
  readonly mqttPort?: number
  readonly events?: readonly string[]
  readonly device?: string
  readonly yes?: boolean
}

export const registerDev: Register = (parent, io) => {
  withJson(parent.command('dev'))
    .description('keep a project on a node equal to its files, and show what happens; every save is a deployment')
    .argument('[directory]', 'the folder of the project', '.')
    .option('-f, --file <FILE>', 'project file in it', 'w3bstream.yaml')
    .option('--node, --url <URL>', 'a running node (default: W3BSTREAM_URL, else one of its own)')
    .option('--token <TOKEN>', 'login token or access key for it (default: W3BSTREAM_TOKEN, or the login)')
    .option('--data-dir <DIR>', 'where its own node keeps its data (default: nowhere after the end)')
    .option('--http-port <PORT>', 'port of its own node (default: a free one)', port)
    .option('--mqtt-port <PORT>', 'MQTT port of its own node (default: a free one)', port)
    .option(
      '--events <PATH>',
      'file or folder with events, sent at the beginning and when saved; repeatable (default: "events" folders, when saved)',
      (path: string, before: readonly string[] = []) => [...before, path],
    )
    .option('-d, --device <KEY>', 'device that sends them (default: the first of the project file)')
    .option('-y, --yes', 'do not ask before changing the project on a running node')
    .addHelpText(
      'after',
      examples(
        ['w3bstream dev', 'the project of this folder, on a node of its own'],
        ['w3bstream dev weather --data-dir weather/.dev --http-port 8888', 'a node that keeps its data'],
        ['w3bstream dev --node http://127.0.0.1:8888', 'on a node that runs already'],
        ['w3bstream dev --events day.json', 'sends the events of a file, and again when it is saved'],
        [
          `echo 'READING {"t":21.5}' | w3bstream dev --json`,
          'events from standard input, one JSON object per line out',
        ],
      ),
    )
    .action(action<Options>(io, dev))
}

async function dev(context: Context, options: Options, directory = '.'): Promise<void> {
  const { io } = context
  const path = resolve(io.cwd, directory, options.file)
  const running = options.url ?? (io.env.W3BSTREAM_URL || undefined)
  if (running !== undefined && !options.yes && io.interactive && !context.json)
    await confirm(`Keep the project at ${running} equal to these files, without asking again?`)
  const [{ Screen }, { DevSession }] = await Promise.all([import('../dev/screen.ts'), import('../dev/session.ts')])
  const screen = new Screen(context)
  const ending = new AbortController()
  const node = new NodeHolder()
  const forget = onSignals(ending, node)
  try {
    const api = running === undefined ? await node.start(options, io, ending, screen) : await context.api()
    if (running !== undefined) screen.started({ url: api.url })
    const events = (options.events ?? []).map((one) => resolve(io.cwd, one))
    const { device } = options
    const session = new DevSession({ path, name: basename(path), events, device }, { io, api, screen })
    const input = readLines((line) => session.line(line))
    await session.run(ending.signal)
    input.close()
    if (ending.signal.reason instanceof CliError) throw ending.signal.reason
  } catch (error) {
    if (!ending.signal.aborted || ending.signal.reason instanceof CliError) throw error
  } finally {
    await node.stop()
    forget()
  }
}

/** The node of its own, if there is one. */
class NodeHolder {
  #node: OwnNode | undefined

  async start(
    { dataDir, httpPort, mqttPort }: Options,
    { env, cwd }: CliIo,
    ending: AbortController,
    screen: Screen,
  ): Promise<ApiClient> {
    const { OwnNode } = await import('../dev/own-node.ts')
    const directory = dataDir === undefined ? undefined : resolve(cwd, dataDir)
    const node = await OwnNode.start({ dataDir: directory, httpPort, mqttPort, env }, ending.signal)
    this.#node = node
    void node.ended().then(() => {
      // No effect when it was told to.
      ending.abort(new CliError({ code: 'CLI_CHECK_FAILED', detail: 'the node has ended by itself' }))
    })
    screen.started({ url: node.url, mqttUrl: node.mqttUrl, password: node.password, dataDir: directory })
    return new ApiClient({ url: node.url, token: node.token })
  }

  async stop(): Promise<void> {
    await this.#node?.stop()
  }

  kill(): void {
    this.#node?.kill()
  }
}

/** The first signal ends everything in order, the second at once. @returns what undoes it */
function onSignals(ending: AbortController, node: NodeHolder): () => void {
  const onSignal = (): void => {
    if (ending.signal.aborted) {
      node.kill()
      process.exit(exitCodes.interrupted)
    }
    ending.abort()
  }
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const signal of signals) process.on(signal, onSignal)
  return () => {
    for (const signal of signals) process.off(signal, onSignal)
  }
}

/** Lines of standard input, until it ends: a session goes on without. */
function readLines(line: (text: string) => void): { close(): void } {
  const lines = createInterface({ input: process.stdin, terminal: false })
  lines.on('line', line)
  return {
    close() {
      lines.close()
      process.stdin.destroy()
    },
  }
}

/** @throws InvalidArgumentError */
function port(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1 && value <= 65_535) return value
  throw new InvalidArgumentError('It must be a port, 1 to 65535.')
}

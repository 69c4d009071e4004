import type { Command } from 'commander'
import { ApiClient } from './api-client.ts'
import { readCredentials } from './credentials.ts'
import { CliError } from './errors.ts'
import type { CliIo } from './io.ts'

/** Options that every command speaking to a node has. */
export interface CommonOptions {
  readonly json?: boolean
  readonly url?: string
  readonly token?: string
}

/** Where the node is when nobody says otherwise. */
const defaultUrl = 'http://127.0.0.1:8888'

/** What an action has at hand. */
export interface Context {
  readonly io: CliIo
  readonly json: boolean
  /** The node, with the caller's session. */
  api(): Promise<ApiClient>
  /** Shows a result: as one line of JSON under `--json`, else as the text that `human` makes of it. */
  print<T>(result: T, human: (result: T) => string): void
  /** A note beside the result, for people only. */
  note(text: string): void
}

export function createContext(io: CliIo, options: CommonOptions): Context {
  const json = options.json === true
  return {
    io,
    json,
    api: () => openApi(io, options),
    print: (result, human) => {
      const text = json ? JSON.stringify(result) : human(result)
      io.out(text === '' || text.endsWith('\n') ? text : `${text}\n`)
    },
    note: (text) => {
      if (!json) io.err(`${text}\n`)
    },
  }
}

/** Adds the options of {@link CommonOptions} to a command that speaks to a node. */
export function withNode(command: Command): Command {
  return withJson(command)
    .option('--url <URL>', `the node's management address (default: W3BSTREAM_URL, the last login, or ${defaultUrl})`)
    .option('--token <TOKEN>', 'login token or access key (default: W3BSTREAM_TOKEN, or the login)')
}

export function withJson(command: Command): Command {
  return command.option('--json', 'print JSON for scripts; errors as JSON on standard error')
}

/** The address of the node: flag, environment, last login, default. @throws CliError CLI_USAGE */
export async function nodeUrl(io: CliIo, options: CommonOptions): Promise<string> {
  const given = options.url ?? (io.env.W3BSTREAM_URL || undefined)
  const url = given ?? (await readCredentials(io.env))?.current ?? defaultUrl
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new CliError({ code: 'CLI_USAGE', detail: `${url} is not an http:// or https:// address` })
  return url.replace(/\/+$/, '')
}

async function openApi(io: CliIo, options: CommonOptions): Promise<ApiClient> {
  const url = await nodeUrl(io, options)
  const given = options.token ?? (io.env.W3BSTREAM_TOKEN || undefined)
  const token = given ?? (await readCredentials(io.env))?.nodes[url]?.token
  return new ApiClient({ url, token })
}

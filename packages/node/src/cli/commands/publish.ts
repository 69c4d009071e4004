import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { EventAnswer } from '../../endpoint/endpoint.ts'
import { type Context, nodeUrl, withJson } from '../context.ts'
import { action, examples, type Register } from '../define.ts'
import { fetchDefinition } from '../deploy/fetch-current.ts'
import { CliError } from '../errors.ts'
import type { CliIo } from '../io.ts'
import { printableText } from '../output.ts'
import { type Transport, transports } from '../publish/transports.ts'
import { findDevice } from '../rows.ts'

interface Options {
  readonly json?: boolean
  readonly url?: string
  readonly project: string
  readonly device?: string
  readonly token?: string
  readonly type: string
  readonly data?: string
  readonly file?: string
  readonly transport: string
  readonly mqttUrl?: string
  readonly eventId?: string
}

/** Largest payload that is read, bytes; the node has a limit of its own. */
const payloadLimitBytes = 64 * 1024 * 1024

export const registerPublish: Register = (parent, io) => {
  withJson(parent.command('publish'))
    .description('send a message as a device, and show what the handlers returned')
    .requiredOption('-p, --project <NAME>', 'the project; its full name when only --token is given')
    .option('-d, --device <KEY>', 'the device to send as; its token is asked from the node')
    .option('--token <TOKEN>', "the device's token, instead of --device")
    .option('-t, --type <EVENT>', 'event type', 'DEFAULT')
    .option('--data <TEXT>', 'the payload')
    .option('--file <FILE>', 'the payload from a file; - for standard input')
    .option('--event-id <ID>', 'a label for tracing (default: made by the node)')
    .option('--transport <NAME>', `how: ${Object.keys(transports).join(', ')}`, 'http')
    .option('--url <URL>', "the node's management address (default: W3BSTREAM_URL, or the last login)")
    .option('--mqtt-url <URL>', "the node's MQTT address (default: port 1883 of the node)")
    .addHelpText(
      'after',
      examples(
        [`w3bstream publish -p weather -d station-1 --data '{"t":21.5}'`, 'over HTTP'],
        ['w3bstream publish -p weather -d station-1 --type day --file day.json --transport mqtt', 'over MQTT'],
        ['date | w3bstream publish -p aid_8811_weather --token w3b_… --file -', 'without an account'],
      ),
    )
    .action(action<Options>(io, publish))
}

async function publish(context: Context, options: Options): Promise<void> {
  const { io } = context
  const transport = transports[options.transport]
  if (!transport) throw usage(`--transport ${options.transport} is none of ${Object.keys(transports).join(', ')}`)
  if ((options.device === undefined) === (options.token === undefined)) throw usage('give either --device or --token')
  const payload = await readPayload(io, options)
  const url = await nodeUrl(io, options)
  const sender = await resolveSender(context, options)
  const answer = await transport({
    ...sender,
    url,
    mqttUrl: options.mqttUrl,
    eventType: options.type,
    eventId: options.eventId ?? `${randomUUID()}_w3b`,
    payload,
  } satisfies Parameters<Transport>[0])
  context.print(answer, describeAnswer)
  const failed = answer.error ?? answer.results?.find(({ error }) => error)?.error
  if (failed) throw new CliError({ code: 'CLI_CHECK_FAILED', detail: `the event was not handled: ${failed}` })
}

/** Who sends, and where to. Without an account the full name must have been given. */
async function resolveSender(context: Context, { project, device, token }: Options) {
  if (device === undefined) return { channel: project, token: token ?? '', publisherKey: undefined }
  const api = await context.api()
  const row = await findDevice(api, project, device)
  const { channel } = (await fetchDefinition(api, project)).project
  return { channel, token: row.token ?? '', publisherKey: row.key }
}

async function readPayload(io: CliIo, { data, file }: Options): Promise<Uint8Array> {
  if ((data === undefined) === (file === undefined)) throw usage('give either --data or --file')
  if (data !== undefined) return new TextEncoder().encode(data)
  if (file === '-') return await io.readInput(payloadLimitBytes)
  const path = resolve(io.cwd, file ?? '')
  try {
    return await readFile(path)
  } catch (error) {
    throw new CliError({ code: 'CLI_FILE', file: path, detail: (error as Error).message }, { cause: error })
  }
}

function describeAnswer({ eventID, messageID, results, error }: EventAnswer): string {
  const lines = [`event ${eventID}${messageID ? `, message ${messageID}` : ''}`]
  if (error) lines.push(`refused: ${error}`)
  else if (!results?.length) lines.push('stored; no route matched')
  for (const result of results ?? [])
    lines.push(
      `${result.appletName}.${result.handler} returned ${result.code}${result.error ? `: ${result.error}` : ''}`,
    )
  return lines.map(printableText).join('\n')
}

function usage(detail: string): CliError {
  return new CliError({ code: 'CLI_USAGE', detail })
}

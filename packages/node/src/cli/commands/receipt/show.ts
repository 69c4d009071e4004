import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { decodeReceipt, fromHex, type HandlerResult, type ReceiptFile, toHex } from '@w3bstream/protocol'
import type { ApiClient } from '../../api-client.ts'
import { type CommonOptions, withNode } from '../../context.ts'
import { action, examples, type Register } from '../../define.ts'
import { CliError } from '../../errors.ts'
import type { CliIo } from '../../io.ts'
import type { LogLine } from '../../log-text.ts'
import { printableText } from '../../output.ts'
import { type List, projectPath } from '../../rows.ts'
import { Traces } from '../../source-maps/traces.ts'

interface Options extends CommonOptions {
  readonly project: string
  readonly out?: string
}

export const registerReceiptShow: Register = (parent, io) => {
  withNode(parent.command('show'))
    .description('fetch the receipt of a message')
    .argument('<message-id>', 'as the answer to the event gave it')
    .requiredOption('-p, --project <NAME>', 'the project')
    .option('-o, --out <FILE>', 'write the receipt file, for "receipt verify"')
    .addHelpText(
      'after',
      examples(
        ['w3bstream receipt show 0x5b1e… --project weather', 'what became of the message'],
        ['w3bstream receipt show 0x5b1e… -p weather --out receipt.json', 'to give to somebody else'],
      ),
    )
    .action(
      action<Options>(io, async (context, { project, out }, messageId) => {
        if (!/^(0x)?[0-9a-fA-F]{64}$/.test(messageId))
          throw new CliError({ code: 'CLI_USAGE', detail: `${messageId} is not a message id: 64 hexadecimal digits` })
        const api = await context.api()
        const file = await api.get<ReceiptFile>(projectPath('/receipt', project, `/${messageId}`))
        if (out) await writeFile(resolve(io.cwd, out), `${JSON.stringify(file, null, 2)}\n`)
        const traces = await tracesOf(api, io, project, file)
        context.print(traces.length === 0 ? file : { ...file, traces }, () =>
          [describeReceipt(file), ...traces.map((trace) => `trace        ${printableText(trace)}`)].join('\n'),
        )
      }),
    )
}

/** Where handlers that failed were, which the log tells: it is no part of the receipt. The newest lines of the event are looked at. */
async function tracesOf(
  api: ApiClient,
  io: CliIo,
  project: string,
  { summary, receipt }: ReceiptFile,
): Promise<readonly string[]> {
  const failed = decodeReceipt(fromHex(receipt)).results.filter(({ error }) => error !== '')
  if (failed.length === 0) return []
  const query = { eventID: summary.eventId, level: 'error', size: 100 }
  const { data } = await api.get<List<LogLine>>(projectPath('/wasmlog', project, '/datalist'), query)
  const lines = (data ?? []).filter(
    ({ src, msg }) =>
      src === 'handler' &&
      failed.some(
        ({ handler, codeHash }) => msg.startsWith(`${handler} failed: `) && msg.includes(hashStart(codeHash)),
      ),
  )
  const traces = new Traces(io)
  return Promise.all(lines.reverse().map(({ msg }) => traces.resolve(msg)))
}

/** Modules are told by the beginning of their hash, as "applet history" does. */
function hashStart(codeHash: Uint8Array): string {
  return toHex(codeHash).slice(2, 14)
}

function describeReceipt({ summary, transactions, certificate, receipt }: ReceiptFile): string {
  const { results } = decodeReceipt(fromHex(receipt))
  const lines = [
    ['message', summary.messageId],
    ['status', summary.status],
    ['origin', summary.origin],
    ['device', summary.publisherKey],
    ['event', `${summary.eventType} ${summary.eventId}`],
    ['time', summary.time],
    ['batch', `${summary.height}, message ${summary.index}`],
    ['certified', certificate ? 'yes' : 'not yet'],
    ...results.map((result) => ['result', resultText(result)]),
    ...transactions.map(({ chainId, hash, state }) => ['transaction', `${hash} on chain ${chainId}: ${state}`]),
  ]
  return lines.map(([name = '', value = '']) => `${name.padEnd(12)} ${printableText(value)}`).join('\n')
}

/** A call that returned may name limits it met. */
function resultText({ handler, code, error, message, fuel, codeHash }: HandlerResult): string {
  const end = error === '' ? `returned ${code}` : `failed: ${error}`
  const facts = [`${handler} ${end}`, message, `fuel ${fuel}`, `module ${hashStart(codeHash)}`]
  return facts.filter((fact) => fact !== '').join(', ')
}

import type { AppletSdkError, SourceProblem } from '@w3bstream/applet-sdk/tool'
import type { EventAnswer } from '../../endpoint/endpoint.ts'
import type { ApiClient } from '../api-client.ts'
import type { Context } from '../context.ts'
import { diffText } from '../deploy/diff-text.ts'
import type { Plan } from '../deploy/plan.ts'
import { displayPath } from '../display-path.ts'
import { type LogLine, logText } from '../log-text.ts'
import { errorJson, errorText, printableText } from '../output.ts'
import { type List, projectPath } from '../rows.ts'
import { Traces } from '../source-maps/traces.ts'
import type { ReceiptRow } from './follow.ts'

interface EffectRow {
  readonly index: number
  readonly kind: string
  readonly state: string
  readonly hash?: string
  readonly call?: string
  readonly metric?: unknown
}

/** Effects of one message that are looked up to be shown. */
const maxEffects = 20

/** What a session shows: a line or a few for people, or an object with `type` per line under `--json`. */
export class Screen {
  readonly #context: Context
  readonly #traces: Traces
  /** Keys of devices and names of applets by their ids, as of the last deployment. */
  #devices: ReadonlyMap<string, string> = new Map()
  #applets: ReadonlyMap<string, string> = new Map()

  constructor(context: Context) {
    this.#context = context
    this.#traces = new Traces(context.io)
  }

  names(devices: ReadonlyMap<string, string>, applets: ReadonlyMap<string, string>): void {
    this.#devices = devices
    this.#applets = applets
  }

  started(node: { url: string; mqttUrl?: string; password?: string; dataDir?: string }): void {
    this.#print({ type: 'node', ...node }, () => {
      const account = node.password === undefined ? '' : `, account admin, password ${node.password}`
      return `node ${node.url}${node.mqttUrl ? `, ${node.mqttUrl}` : ''}${account}`
    })
  }

  /** What there is to do at the keyboard. */
  ready(project: string, watched: number): void {
    const hint = 'type an event as [TYPE] PAYLOAD; Ctrl-C ends'
    this.#print({ type: 'ready', project, directories: watched }, () => `watching ${watched} directories; ${hint}`)
  }

  deployed(project: string, plan: Plan, took: { compileMs: number; deployMs: number }): void {
    const [compileMs, deployMs] = [Math.round(took.compileMs), Math.round(took.deployMs)]
    this.#print({ type: 'deployed', project, changes: plan.lines, compileMs, deployMs }, () => {
      const head = this.#context.io.style('green', `deployed ${project}`)
      return `${head} in ${deployMs} ms, compiled in ${compileMs} ms\n${diffText(this.#context.io, plan)}`
    })
  }

  unchanged(): void {
    this.#print({ type: 'unchanged' }, () => 'no changes')
  }

  /** A deployment that did not come about; what ran before goes on. */
  refused(error: unknown): void {
    const { compiler } = error as Partial<AppletSdkError>
    const problems = compiler?.problems ?? []
    if (problems.length === 0) {
      this.#print({ type: 'refused', ...errorJson(error) }, () => `${errorText(this.#context.io, error)}not deployed\n`)
      return
    }
    this.#print({ type: 'refused', problems }, () => {
      const lines = problems.map((problem) => `${this.#red('error')} ${this.#problem(problem)}`)
      return [...lines, 'not deployed: what ran before goes on'].join('\n')
    })
  }

  /** Something besides the project went wrong, such as an event that cannot be sent. */
  failed(error: unknown): void {
    this.#print({ type: 'failed', ...errorJson(error) }, () => errorText(this.#context.io, error))
  }

  sent(from: string, { event, device }: { event: string; device: string }, answer: EventAnswer, ms: number): void {
    const tookMs = Math.round(ms * 10) / 10
    this.#print({ type: 'sent', from, event, device, tookMs, answer }, () => {
      const refused = answer.error ? this.#red(` refused: ${printableText(answer.error)}`) : ''
      return `> ${event} from ${from} as ${device}, answered in ${tookMs} ms${refused}`
    })
  }

  note(text: string): void {
    this.#print({ type: 'note', text }, () => this.#grey(text))
  }

  async log(line: LogLine): Promise<void> {
    const resolved = { ...line, msg: await this.#traces.resolve(line.msg) }
    this.#print({ type: 'log', ...resolved }, () => logText(this.#context.io, resolved))
  }

  async receipt(api: ApiClient, project: string, row: ReceiptRow): Promise<void> {
    const effects = row.effects.count === 0 ? [] : await effectsOf(api, project, row)
    const device = this.#devices.get(row.publisherID) ?? row.publisherID
    this.#print({ type: 'receipt', ...row, device, asked: effects }, () => {
      const time = new Date(row.receivedAt).toISOString()
      const head = [row.eventType || row.kind, device && `from ${device}`, `batch ${row.height}:${row.index}`]
      const what = printableText(head.filter(Boolean).join(' '))
      const status = row.status === 'failed' || row.status === 'refused' ? this.#red(row.status) : row.status
      const lines = [`${this.#grey(time)} ${what} ${status}`]
      for (const result of row.results) lines.push(`  ${printableText(this.#result(result))}`)
      for (const effect of effects) lines.push(`  ${effect.kind} ${printableText(whatOf(effect))}`)
      if (row.effects.count > effects.length) lines.push(`  and ${row.effects.count - effects.length} more effects`)
      return lines.join('\n')
    })
  }

  #result({ appletID, handler, code, error, message, fuel, codeHash }: ReceiptRow['results'][number]): string {
    const name = `${this.#applets.get(appletID) ?? 'applet'}.${handler}`
    const end = error === '' ? `returned ${code}` : `failed: ${error}`
    const facts = [`${name} ${end}`, message, `fuel ${fuel}`, `module ${codeHash.slice(0, 12)}`]
    return facts.filter((fact) => fact !== '').join(', ')
  }

  #problem({ file, line, column, message, code }: SourceProblem): string {
    const path = displayPath(this.#context.io.cwd, file)
    const place = line === 0 ? path : `${path}:${line}:${column}`
    return `${place}${place && ' '}${printableText(message)} (AS${code})`
  }

  #red(text: string): string {
    return this.#context.io.style('red', text)
  }

  #grey(text: string): string {
    return this.#context.io.style('gray', text)
  }

  #print<T>(result: T, human: () => string): void {
    this.#context.print(result, human)
  }
}

/** What a message asked for. Effects are numbered within the batch. */
async function effectsOf(api: ApiClient, project: string, row: ReceiptRow): Promise<readonly EffectRow[]> {
  const { first, count } = row.effects
  const query = { height: row.height, size: 1000 }
  const { data } = await api.get<List<EffectRow>>(projectPath('/outbox', project, '/datalist'), query)
  const own = (data ?? []).filter(({ index }) => index >= first && index < first + count)
  return own.sort((a, b) => a.index - b.index).slice(0, maxEffects)
}

function whatOf({ state, hash, call, metric }: EffectRow): string {
  const what = hash ?? call ?? (metric === undefined ? '' : JSON.stringify(metric))
  return [what, state].filter(Boolean).join(' ')
}

import type { HandlerResult } from '@w3bstream/protocol'
import type { DatabaseSchema, KvItem, KvRange } from '../../../database/database.ts'
import { compareText } from '../../../database/key-order.ts'
import type { HandlerOutcome } from '../../../engine/engine.ts'
import type { Flow } from '../../../project/flow.ts'
import { type FlowReport, FlowRun } from '../flow-run.ts'
import type { OperatorCall } from '../operators.ts'
import { type FlowPlan, planFlow } from '../plan.ts'
import type { FlowStore } from '../state.ts'

const encode = (text: string) => new TextEncoder().encode(text)
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

/** An operator in JavaScript: what it answers, or a number for a return without data. */
export type Operator = (text: string, accumulator?: string | null) => string | number | Uint8Array | Error

/** Keyed state in a map, with units. */
class MemoryStore implements FlowStore {
  readonly rows = new Map<string, Uint8Array>()
  /** Called before each write; may refuse it. */
  beforePut: (() => void) | undefined
  #before: [string, Uint8Array | undefined][] = []

  begin(): void {
    this.#before = []
  }

  undo(): void {
    for (const [key, value] of this.#before.reverse())
      if (value === undefined) this.rows.delete(key)
      else this.rows.set(key, value)
  }

  get(namespace: string, key: string): Uint8Array | undefined {
    return this.rows.get(`${namespace} ${key}`)
  }

  put(namespace: string, key: string, value: Uint8Array | null): void {
    this.beforePut?.()
    const name = `${namespace} ${key}`
    this.#before.push([name, this.rows.get(name)])
    if (value === null) this.rows.delete(name)
    else this.rows.set(name, value)
  }

  list(namespace: string, { prefix = '', limit }: KvRange): KvItem[] {
    const start = `${namespace} ${prefix}`
    const found = [...this.rows].filter(([key]) => key.startsWith(start)).sort(([a], [b]) => compareText(a, b))
    return found.slice(0, limit).map(([key, value]) => ({ key: key.slice(namespace.length + 1), value }))
  }
}

/** A flow without a node: operators in JavaScript, results in a list, a clock that is set by hand. */
export class BenchFlow {
  readonly store = new MemoryStore()
  readonly results: string[] = []
  readonly notes: string[] = []
  /** Ordinals of all runs. */
  readonly ordinals: number[] = []
  clockMs = 0
  fuel = 1_000_000
  fuelPerRun = 10n
  plan: FlowPlan | undefined
  readonly #operators: Record<string, Operator>
  #pending: string[] = []

  constructor(flow: Flow, operators: Record<string, Operator>, database: DatabaseSchema = {}) {
    this.#operators = operators
    this.use(flow, database)
  }

  use(flow: Flow, database: DatabaseSchema = {}): void {
    const read = planFlow(flow, database)
    if ('problems' in read) throw new Error(JSON.stringify(read.problems))
    this.plan = read.plan
  }

  event(payload: string, timestampMs: number, clockMs = Math.max(this.clockMs, timestampMs)): Promise<FlowReport> {
    this.clockMs = clockMs
    return this.#run({ payload: encode(payload), timestampMs })
  }

  timer(clockMs: number): Promise<FlowReport> {
    this.clockMs = clockMs
    return this.#run()
  }

  #run(event?: { payload: Uint8Array; timestampMs: number }): Promise<FlowReport> {
    const { store } = this
    return new FlowRun(this.plan, {
      store,
      sinks: {
        sqlExecute: ({ params }) => this.#emit(params),
        publishMqtt: (topic, payload) => this.#emit([topic, decode(payload)]),
        sendTransaction: (transaction) => this.#emit(transaction),
        emitEvent: (_type, payload) => void this.#pending.push(decode(payload)),
      },
      clockMs: this.clockMs,
      fuel: this.fuel,
      result: blank,
      begin: () => {
        this.#pending = []
        store.begin()
      },
      end: async (keep) => {
        if (keep) this.results.push(...this.#pending)
        else store.undo()
      },
      note: (_level, message) => void this.notes.push(message),
      run: (call) => this.#call(call),
    }).run(event)
  }

  #emit(what: unknown): void {
    this.#pending.push(JSON.stringify(what, (_key, value) => (typeof value === 'bigint' ? `${value}` : value)))
  }

  #call({ handler, payload, accumulator, ordinal }: OperatorCall): HandlerOutcome {
    this.ordinals.push(ordinal)
    const given = accumulator ? decode(accumulator) : accumulator
    const answer = this.#operators[handler]!(decode(payload), given)
    const fuel = this.fuelPerRun
    if (answer instanceof Error) return { type: 'failed', error: 'TRAP', message: answer.message, fuel }
    if (typeof answer === 'number') return { type: 'returned', code: answer, fuel }
    const data = typeof answer === 'string' ? encode(answer) : answer
    return { type: 'returned', code: 1, data, fuel }
  }
}

const blank: HandlerResult = {
  appletId: '1',
  instanceId: '2',
  handler: '',
  codeHash: new Uint8Array(32),
  code: -1,
  error: '',
  message: '',
  fuel: 0n,
}

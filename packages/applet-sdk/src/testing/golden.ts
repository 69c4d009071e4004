import type { SqlRequest } from '../engine-contract.ts'
import type { SimulatedResult } from '../simulation/simulate.ts'

/** What an event came to, as a golden file keeps it. Numbers that JSON cannot carry are text, bytes text or hexadecimal. */
export interface GoldenReceipt {
  readonly handler: string
  /** Present when the handler returned. */
  readonly code?: number
  /** Present when it did not. */
  readonly error?: string
  readonly message?: string
  /** Units of `docs/spec/fuel.md`. */
  readonly fuel: number
  readonly logs: readonly string[]
  readonly kv: readonly (readonly [key: string, value: string])[]
  readonly sql: readonly string[]
  readonly transactions: readonly Readonly<Record<string, string>>[]
  readonly mqtt: readonly (readonly [topic: string, payload: string])[]
  readonly apiCalls: readonly string[]
  readonly metrics: readonly string[]
}

export function goldenReceipt(handler: string, result: SimulatedResult): GoldenReceipt {
  const { outcome, logs, writes, statements, transactions, mqtt, apiCalls, metrics } = result
  const end = outcome.type === 'returned' ? { code: outcome.code } : { error: outcome.error, message: outcome.message }
  return {
    handler,
    ...end,
    fuel: Number(outcome.fuel),
    logs: logs.map(({ level, message }) => `${level} ${message}`),
    kv: writes.map(({ key, value }) => [key, shown(value)] as const),
    sql: statements.map(showStatement),
    transactions: transactions.map(({ chainId, chainName, to, value, data, operatorName }) => ({
      chain: chainName || `${chainId}`,
      to,
      value: `${value}`,
      data,
      ...(operatorName && { operatorName }),
    })),
    mqtt: mqtt.map(({ topic, payload }) => [topic, shown(payload)] as const),
    apiCalls,
    metrics,
  }
}

/** Text where it is printable, else hexadecimal with prefix. */
function shown(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString()
  return /^[\x20-\x7e\n\t]*$/.test(text) && !text.startsWith('0x') ? text : `0x${Buffer.from(bytes).toString('hex')}`
}

function showStatement({ statement, params }: SqlRequest): string {
  if (params.length === 0) return statement
  const values = params.map((param) => (param.type === 'null' ? 'null' : showParam(param.value)))
  return `${statement} [${values.join(', ')}]`
}

function showParam(value: bigint | number | string | boolean | Uint8Array): string {
  return value instanceof Uint8Array ? shown(value) : String(value)
}

/**
 * What differs between the golden receipts of a story and those of this run, one line each, as `place: was X, is Y`.
 * @param fuelTolerance share by which fuel may differ, 0.05 for five in a hundred. @default 0
 */
export function compareGolden(
  golden: readonly GoldenReceipt[],
  actual: readonly GoldenReceipt[],
  fuelTolerance = 0,
): string[] {
  const differences: string[] = []
  for (let index = 0; index < Math.max(golden.length, actual.length); index++) {
    const was = golden[index]
    const is = actual[index]
    const place = `event ${index + 1}`
    if (was === undefined || is === undefined)
      differences.push(`${place}: ${was === undefined ? 'is new' : 'is missing'}`)
    else differences.push(...compareReceipts(place, was, is, fuelTolerance))
  }
  return differences
}

function compareReceipts(place: string, was: GoldenReceipt, is: GoldenReceipt, fuelTolerance: number): string[] {
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])] as (keyof GoldenReceipt)[]
  return names.flatMap((name) => {
    const [before, now] = [was[name], is[name]]
    if (name === 'fuel') return compareFuel(place, was.fuel, is.fuel, fuelTolerance)
    if (Array.isArray(before) && Array.isArray(now)) return compareLists(`${place}, ${name}`, before, now)
    return before === now ? [] : [`${place}, ${name}: was ${show(before)}, is ${show(now)}`]
  })
}

function compareFuel(place: string, was: number, is: number, tolerance: number): string[] {
  if (Math.abs(is - was) <= was * tolerance) return []
  const percent = was === 0 ? '' : ` (${is > was ? '+' : ''}${(((is - was) * 100) / was).toFixed(1)} %)`
  return [`${place}, fuel: was ${was}, is ${is}${percent}`]
}

function compareLists(place: string, was: readonly unknown[], is: readonly unknown[]): string[] {
  return Array.from({ length: Math.max(was.length, is.length) }, (_, index) => {
    const [before, now] = [show(was[index]), show(is[index])]
    return before === now ? '' : `${place}[${index}]: was ${before}, is ${now}`
  }).filter((line) => line !== '')
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value)
}

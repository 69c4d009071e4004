import { isDeepStrictEqual } from 'node:util'
import type { SqlResult, SqlValue } from '../engine-contract.ts'
import type { SimulatedResult } from '../simulation/simulate.ts'
import type { SimulatedHost } from '../simulation/simulated-host.ts'
import type { Expectation, ExpectedValue } from './test-file.ts'

/** What differs from the expectation, one line each; none when all is as it should be. */
export function checkResult(expected: Expectation, result: SimulatedResult, host: SimulatedHost): string[] {
  return [
    ...checkOutcome(expected, result),
    ...checkData(expected, result),
    ...checkLogs(expected, result),
    ...Object.entries(expected.kv ?? {}).flatMap(([key, value]) => checkValue(key, value, host.kv.get(key))),
    ...checkTransactions(expected, result),
    ...checkMqtt(expected, result),
    ...checkList('metrics', expected.metrics, result.metrics.map(parsed)),
    ...checkList('apiCalls', expected.apiCalls, result.apiCalls.map(pathOf)),
    ...(expected.rows ?? []).flatMap(({ query, are }) => checkRows(query, are, host)),
  ]
}

function show(value: unknown): string {
  return JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? String(inner) : inner)) ?? 'nothing'
}

function checkOutcome(expected: Expectation, { outcome }: SimulatedResult): string[] {
  if (outcome.type === 'failed') {
    if (expected.error === outcome.error) return []
    const wanted = expected.error ?? (expected.code === undefined ? 'a result' : `code ${expected.code}`)
    return [`expected ${wanted}, but the handler failed: ${outcome.error} ${outcome.message}`]
  }
  if (expected.error !== undefined) return [`expected ${expected.error}, but the handler returned ${outcome.code}`]
  if (expected.code === undefined) {
    return outcome.code < 0 ? [`the handler refused with ${outcome.code}, which the test does not expect`] : []
  }
  return expected.code === outcome.code ? [] : [`code: expected ${expected.code}, is ${outcome.code}`]
}

function checkData({ data }: Expectation, { outcome }: SimulatedResult): string[] {
  if (data === undefined || outcome.type === 'failed') return []
  const actual = outcome.data && Buffer.from(outcome.data).toString()
  const isSame = typeof data === 'string' ? actual === data : isDeepStrictEqual(parsed(actual ?? ''), data)
  return isSame ? [] : [`data: expected ${show(data)}, is ${show(actual)}`]
}

/** A `*` stands for any text. */
function matches(pattern: string, line: string): boolean {
  const source = pattern.split('*').map(RegExp.escape).join('[\\s\\S]*')
  return new RegExp(`^${source}$`).test(line)
}

function checkLogs(expected: Expectation, result: SimulatedResult): string[] {
  if (expected.logs === undefined) return []
  const lines = result.logs.filter((line) => line.source === 'wasmCode').map((line) => line.message)
  const longest = Math.max(lines.length, expected.logs.length)
  const wrong: string[] = []
  for (let index = 0; index < longest; index++) {
    const wanted = expected.logs[index]
    const line = lines[index]
    if (wanted === undefined || line === undefined || !matches(wanted, line)) {
      wrong.push(`logs[${index}]: expected ${show(wanted)}, is ${show(line)}`)
    }
  }
  return wrong
}

function encoded(expected: Exclude<ExpectedValue, null>): Uint8Array {
  if (typeof expected === 'string') return Buffer.from(expected)
  if ('hex' in expected) return Buffer.from(expected.hex.replace(/^0x/, ''), 'hex')
  if ('bool' in expected) return Uint8Array.of(expected.bool ? 1 : 0)
  const bytes = Buffer.alloc('i32' in expected ? 4 : 8)
  if ('i32' in expected) bytes.writeInt32LE(expected.i32)
  else if ('i64' in expected) bytes.writeBigInt64LE(BigInt.asIntN(64, BigInt(expected.i64)))
  else bytes.writeDoubleLE(expected.f64)
  return bytes
}

function checkValue(key: string, expected: ExpectedValue, actual: Uint8Array | undefined): string[] {
  if (expected === null) return actual === undefined ? [] : [`kv ${key}: expected nothing, is ${describe(actual)}`]
  if (actual !== undefined && Buffer.compare(encoded(expected), actual) === 0) return []
  return [`kv ${key}: expected ${show(expected)}, is ${actual === undefined ? 'nothing' : describe(actual)}`]
}

/** Bytes as text when they are printable, else as hexadecimal. */
function describe(bytes: Uint8Array): string {
  const asText = Buffer.from(bytes).toString()
  return /^[\x20-\x7e]*$/.test(asText) ? show(asText) : `0x${Buffer.from(bytes).toString('hex')}`
}

function checkTransactions(expected: Expectation, result: SimulatedResult): string[] {
  if (expected.transactions === undefined) return []
  const actual = result.transactions.map((sent) => ({
    chainId: Number(sent.chainId),
    to: bare(sent.to),
    value: String(sent.value),
    data: bare(sent.data),
    operatorName: sent.operatorName,
  }))
  const wanted = expected.transactions.map((one, index) => ({
    ...actual[index],
    ...one,
    ...(one.to === undefined ? {} : { to: bare(one.to) }),
    ...(one.data === undefined ? {} : { data: bare(one.data) }),
  }))
  return checkList('transactions', wanted, actual)
}

function bare(hex: string): string {
  return hex.replace(/^0x/i, '').toLowerCase()
}

function checkMqtt(expected: Expectation, result: SimulatedResult): string[] {
  if (expected.mqtt === undefined) return []
  const actual = result.mqtt.map(({ topic, payload }, index) => {
    const asText = Buffer.from(payload).toString()
    const wanted = expected.mqtt?.[index]?.payload
    return { topic, payload: wanted === undefined || typeof wanted === 'string' ? asText : parsed(asText) }
  })
  const wanted = expected.mqtt.map((one, index) => ({ payload: actual[index]?.payload, ...one }))
  return checkList('mqtt', wanted, actual)
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return json
  }
}

function pathOf(request: string): string {
  try {
    return new URL(JSON.parse(request).Url).pathname
  } catch {
    return request
  }
}

function checkList(name: string, expected: readonly unknown[] | undefined, actual: readonly unknown[]): string[] {
  if (expected === undefined) return []
  const longest = Math.max(expected.length, actual.length)
  return Array.from({ length: longest }, (_, index) =>
    isDeepStrictEqual(expected[index], actual[index])
      ? ''
      : `${name}[${index}]: expected ${show(expected[index])}, is ${show(actual[index])}`,
  ).filter((line) => line !== '')
}

function checkRows(
  query: string,
  expected: readonly Readonly<Record<string, unknown>>[],
  host: SimulatedHost,
): string[] {
  let result: SqlResult
  try {
    result = host.query({ statement: query, params: [] })
  } catch (error) {
    return [`${query}: ${error instanceof Error ? error.message : String(error)}`]
  }
  const rows = result.rows.map((row) =>
    Object.fromEntries(result.columns.map(({ name }, index) => [name, plain(row[index] ?? null)])),
  )
  return checkList(query, expected, rows)
}

/** As a test file can write it. */
function plain(value: SqlValue): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (typeof value !== 'bigint') return value
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : String(value)
}

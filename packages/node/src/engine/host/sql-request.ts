import type { SqlParam, SqlRequest } from '../../database/database.ts'
import { HostFault } from '../engine.ts'

/** Numbers of this length may lie beyond 2^53 and must not go through a double. */
const longNumber = /\d{16}/
const integer = /^-?\d+$/
/** RFC 3339, section 5.6. */
const rfc3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/
const base64 = /^[A-Za-z0-9+/]*={0,2}$/

/** An integer as it stood in the text. */
class ExactInteger {
  readonly digits: string
  constructor(digits: string) {
    this.digits = digits
  }
}

/** Decoders by type key, in their order of precedence when a parameter has several keys. */
const decoders: readonly (readonly [key: SqlParam['type'], decode: (value: unknown) => SqlParam | undefined])[] = [
  ['int32', (value) => integerParam('int32', value, 32)],
  ['int64', (value) => integerParam('int64', value, 64)],
  ['float32', (value) => floatParam('float32', value)],
  ['float64', (value) => floatParam('float64', value)],
  ['string', (value) => (typeof value === 'string' ? { type: 'string', value } : undefined)],
  ['bool', (value) => (typeof value === 'boolean' ? { type: 'bool', value } : undefined)],
  ['bytes', bytesParam],
  ['time', timeParam],
]

/**
 * Decodes `{"statement":"…","params":[{"int32":1},…]}`.
 * @throws HostFault Sql
 */
export function parseSqlRequest(text: string): SqlRequest {
  const request = parseExactly(text)
  if (!isObject(request)) throw refused('the request is not a JSON object')
  const { statement, params } = request
  if (typeof statement !== 'string') throw refused('statement is missing')
  // Go encodes an empty list that was never made as null.
  if (params === null) return { statement, params: [] }
  if (!Array.isArray(params)) throw refused('params is missing')
  return { statement, params: params.map(parseParam) }
}

function parseParam(param: unknown, index: number): SqlParam {
  if (isObject(param)) {
    for (const [key, decode] of decoders) {
      const value = Object.hasOwn(param, key) ? param[key] : undefined
      if (value === undefined || value === null) continue
      const decoded = decode(value)
      if (decoded === undefined) throw refused(`parameter ${index + 1} is no ${key}`)
      return decoded
    }
  }
  throw refused(`parameter ${index + 1} has none of the types ${decoders.map(([key]) => key).join(', ')}`)
}

function integerParam(type: 'int32' | 'int64', value: unknown, bits: number): SqlParam | undefined {
  const digits = value instanceof ExactInteger ? value.digits : Number.isSafeInteger(value) ? String(value) : undefined
  if (digits === undefined || digits.length > 20) return undefined
  const exact = BigInt(digits)
  return BigInt.asIntN(bits, exact) === exact ? { type, value: exact } : undefined
}

function floatParam(type: 'float32' | 'float64', value: unknown): SqlParam | undefined {
  const number = value instanceof ExactInteger ? Number(value.digits) : value
  if (typeof number !== 'number' || !Number.isFinite(number)) return undefined
  return { type, value: type === 'float32' ? Math.fround(number) : number }
}

/** Standard alphabet; Rust's kit leaves the padding away. */
function bytesParam(value: unknown): SqlParam | undefined {
  if (typeof value !== 'string' || !base64.test(value)) return undefined
  const digits = value.replace(/=+$/, '')
  if (digits.length % 4 === 1 || (digits !== value && value.length % 4 !== 0)) return undefined
  return { type: 'bytes', value: new Uint8Array(Buffer.from(digits, 'base64')) }
}

function timeParam(value: unknown): SqlParam | undefined {
  if (typeof value !== 'string' || !rfc3339.test(value) || Number.isNaN(Date.parse(value))) return undefined
  return { type: 'time', value }
}

function parseExactly(text: string): unknown {
  try {
    return longNumber.test(text) ? JSON.parse(text, keepInteger) : JSON.parse(text)
  } catch (error) {
    throw refused('the request is not JSON', error)
  }
}

function keepInteger(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  const source = context?.source
  return source !== undefined && integer.test(source) ? new ExactInteger(source) : value
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function refused(message: string, cause?: unknown): HostFault {
  return new HostFault('Sql', message, { cause })
}

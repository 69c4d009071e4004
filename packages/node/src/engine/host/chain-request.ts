import { HostFault, type Transaction } from '../engine.ts'

const decimal = /^\d{1,78}$/
const hex = /^(?:0[xX])?((?:[0-9a-fA-F]{2})*)$/
const uint256 = 1n << 256n

/**
 * Reads the JSON of `ws_send_tx`. Kits differ in white space and in whether `data` begins with `0x`; a missing key counts
 * as the empty text.
 * @throws HostFault Invalid
 */
export function parseTransaction(chain: number, text: string, withOperator: boolean): Transaction {
  const request = parseObject(text)
  const value = field(request, 'value')
  if (!decimal.test(value) || BigInt(value) >= uint256)
    throw invalid(`value "${short(value)}" is no decimal number of wei`)
  return {
    chainId: BigInt(chain >>> 0),
    chainName: '',
    to: required(request, 'to'),
    value: BigInt(value),
    data: hexField(request),
    operatorName: withOperator ? field(request, 'operatorName') : '',
  }
}

/** Reads the JSON of `ws_call_contract`. @throws HostFault Invalid */
export function parseContractCall(chain: number, text: string): { chainId: bigint; to: string; data: string } {
  const request = parseObject(text)
  return { chainId: BigInt(chain >>> 0), to: required(request, 'to'), data: hexField(request) }
}

function parseObject(text: string): Record<string, unknown> {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw invalid('the request is not JSON', error)
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw invalid('the request is no object')
  return parsed as Record<string, unknown>
}

function field(request: Record<string, unknown>, name: string): string {
  const value = Object.hasOwn(request, name) ? request[name] : undefined
  if (typeof value === 'string') return value.trim()
  return typeof value === 'number' ? String(value) : ''
}

function required(request: Record<string, unknown>, name: string): string {
  const value = field(request, name)
  if (value === '') throw invalid(`${name} is missing`)
  return value
}

function hexField(request: Record<string, unknown>): string {
  const digits = hex.exec(field(request, 'data'))?.[1]
  if (digits === undefined) throw invalid('data is not hexadecimal')
  return `0x${digits.toLowerCase()}`
}

function short(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

function invalid(message: string, cause?: unknown): HostFault {
  return new HostFault('Invalid', message, { cause })
}

import { createHmac, timingSafeEqual } from 'node:crypto'
import { ApiError } from '../endpoint/api-error.ts'

/** Claims as clients of the earlier generation read them. `Payload` is the id of the account, or of a device. */
export interface JwtClaims {
  readonly Payload: string
  readonly iss?: string
  /** Seconds since 1970; tokens of old devices have none. */
  readonly exp?: number
}

const header = encode({ alg: 'HS256', typ: 'JWT' })
/** More than any token of ours; keeps the parser from working for strangers. */
const maxLength = 2048

export function signJwt(claims: JwtClaims, key: Uint8Array): string {
  const body = `${header}.${encode(claims)}`
  return `${body}.${mac(body, key).toString('base64url')}`
}

/**
 * Checks signature, algorithm (HS256 and no other) and expiry.
 * @throws ApiError InvalidToken, with the reason in words that clients know
 */
export function verifyJwt(token: string, key: Uint8Array, nowMs: number): JwtClaims {
  const parts = token.split('.')
  if (parts.length !== 3 || token.length > maxLength) throw invalid('token contains an invalid number of segments')
  const [head = '', body = '', signature = ''] = parts
  const { alg } = decode(head)
  if (alg !== 'HS256') throw invalid(`signing method ${String(alg).slice(0, 16)} is invalid`)
  const wanted = mac(`${head}.${body}`, key)
  const given = Buffer.from(signature, 'base64url')
  // The text is compared too: base64url has several spellings of the same bytes, and one token is one text.
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted) || given.toString('base64url') !== signature)
    throw invalid('signature is invalid')
  return checkClaims(decode(body), nowMs)
}

function checkClaims(claims: Record<string, unknown>, nowMs: number): JwtClaims {
  const { Payload, iss, exp } = claims
  if (typeof Payload !== 'string' || Payload === '') throw new ApiError('InvalidClaim', 'Payload is missing')
  if (exp !== undefined && typeof exp !== 'number') throw new ApiError('InvalidClaim', 'exp is not a number')
  if (exp !== undefined && exp * 1000 <= nowMs) throw invalid(`token is expired by ${Math.floor(nowMs / 1000 - exp)}s`)
  return { Payload, iss: typeof iss === 'string' ? iss : undefined, exp }
}

function mac(text: string, key: Uint8Array): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decode(part: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : 'not JSON')
  }
  throw invalid('not a JSON object')
}

function invalid(reason: string): ApiError {
  return new ApiError('InvalidToken', reason)
}

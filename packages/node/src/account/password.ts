import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { ApiError } from '../endpoint/api-error.ts'

/** N = 2^15, r = 8, p = 1: 32 MiB and about 60 ms, between OWASP's two smaller settings; a Raspberry Pi bears it. */
const cost = { log2N: 15, r: 8, p: 1 }
const keyBytes = 32
/** A hash runs in a thread of its own and takes memory; more callers than this at once are turned away. */
const maxWaiting = 32

export const passwordLimits = { minLength: 8, maxLength: 256 }

let waiting = 0

/** `scrypt$<log2N>$<r>$<p>$<salt>$<key>`, base64url. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  const { log2N, r, p } = cost
  const key = await derive(password, salt, log2N, r, p)
  return ['scrypt', log2N, r, p, salt.toString('base64url'), key.toString('base64url')].join('$')
}

/** Whether this is the password; takes the same time for any wrong one. */
export async function verifyPassword(password: string, stored: string): Promise<boolean> {
  const [scheme, log2N, r, p, salt = '', key = ''] = stored.split('$')
  if (scheme !== 'scrypt') return false
  const wanted = Buffer.from(key, 'base64url')
  const found = await derive(password, Buffer.from(salt, 'base64url'), Number(log2N), Number(r), Number(p))
  return found.length === wanted.length && timingSafeEqual(found, wanted)
}

/** A password of 144 random bits. */
export function randomPassword(): string {
  return randomBytes(18).toString('base64url')
}

async function derive(password: string, salt: Uint8Array, log2N: number, r: number, p: number): Promise<Buffer> {
  if (waiting >= maxWaiting) throw new ApiError('TooManyAttempts', 'too many logins at once', { retryAfterMs: 1000 })
  waiting++
  try {
    const options = { N: 2 ** log2N, r, p, maxmem: 256 * 2 ** log2N * r }
    return await new Promise((resolve, reject) =>
      scrypt(password.normalize('NFKC'), salt, keyBytes, options, (error, key) =>
        error ? reject(error) : resolve(key),
      ),
    )
  } finally {
    waiting--
  }
}

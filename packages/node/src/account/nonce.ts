import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { ControlDatabase } from '../database/control/control.ts'
import { ApiError } from '../endpoint/api-error.ts'

const prefix = 'w3b'
const macDigits = 24
/** `w3b`, 10 digits of seconds (hexadecimal), 16 random digits, then the check; all alphanumeric, as EIP-4361 wants. */
const issued = new RegExp(`^${prefix}([0-9a-f]{10})([0-9a-f]{16})([0-9a-f]{${macDigits}})$`)

/**
 * Nonces of login messages. One that the node issues carries its own date and check, so nothing is stored for those who
 * only ask; one that was used is on disk until the message could no longer be valid.
 */
export class LoginNonces {
  readonly #db: ControlDatabase
  readonly #key: Uint8Array
  readonly #freshMs: number

  constructor(db: ControlDatabase, key: Uint8Array, freshMs: number) {
    this.#db = db
    this.#key = key
    this.#freshMs = freshMs
  }

  issue(nowMs: number): { nonce: string; expiresMs: number } {
    const issuedS = Math.floor(nowMs / 1000)
    const body = issuedS.toString(16).padStart(10, '0') + randomBytes(8).toString('hex')
    return { nonce: `${prefix}${body}${this.#mac(body)}`, expiresMs: issuedS * 1000 + this.#freshMs }
  }

  /**
   * Takes a nonce for good.
   * @param expiresMs when the message that carries it becomes invalid
   * @throws ApiError InvalidEthLoginMessage when it was used, or is one of ours and too old
   */
  use(nonce: string, expiresMs: number, nowMs: number): void {
    this.#checkIssued(nonce, nowMs)
    this.#db.prepare('DELETE FROM login_nonce WHERE expires_ms < ?').run(nowMs)
    const { changes } = this.#db
      .prepare('INSERT OR IGNORE INTO login_nonce (nonce, expires_ms, used) VALUES (?, ?, 1)')
      .run(nonce, expiresMs)
    if (changes === 0) throw new ApiError('InvalidEthLoginMessage', 'the nonce was used before')
  }

  #checkIssued(nonce: string, nowMs: number): void {
    const [, seconds, random, check] = issued.exec(nonce) ?? []
    if (!seconds || !random || !check) return
    if (!timingSafeEqual(Buffer.from(check), Buffer.from(this.#mac(seconds + random)))) return
    if (Number.parseInt(seconds, 16) * 1000 + this.#freshMs < nowMs)
      throw new ApiError('InvalidEthLoginMessage', 'the nonce is too old: ask for another one')
  }

  #mac(body: string): string {
    return createHmac('sha256', this.#key).update(`login-nonce ${body}`).digest('hex').slice(0, macDigits)
  }
}

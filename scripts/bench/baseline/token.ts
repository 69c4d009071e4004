import { createHmac, timingSafeEqual } from 'node:crypto'

/** Remembered tokens; the oldest is forgotten first. */
const cachedTokens = 10_000

/** Makes and checks tokens `<id>.<HMAC-SHA-256 of it>`, as devices of the baselines have them. */
export class Tokens {
  readonly #secret: string
  readonly #known = new Map<string, string>()

  constructor(secret: string) {
    this.#secret = secret
  }

  make(id: string): string {
    return `${id}.${this.#mac(id).toString('base64url')}`
  }

  /** Whose token the header holds; undefined when nobody's. */
  check(authorization: string | undefined): string | undefined {
    if (!authorization?.startsWith('Bearer ')) return undefined
    const token = authorization.slice(7)
    return this.#known.get(token) ?? this.#verify(token)
  }

  #verify(token: string): string | undefined {
    const [id, mac] = token.split('.')
    if (!id || !mac) return undefined
    const given = Buffer.from(mac, 'base64url')
    const wanted = this.#mac(id)
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return undefined
    if (this.#known.size >= cachedTokens) this.#known.delete(this.#known.keys().next().value!)
    this.#known.set(token, id)
    return id
  }

  #mac(id: string): Buffer {
    return createHmac('sha256', this.#secret).update(id).digest()
  }
}

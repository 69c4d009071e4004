import type { Subscription } from './message.ts'
import type { Router } from './router.ts'
import { Session, type SessionDeps } from './session.ts'

/** All sessions of the endpoint, by principal and client identifier. */
export class Sessions {
  readonly #deps: SessionDeps
  readonly #router: Router
  readonly #sessions = new Map<string, Session>()
  readonly #countOf = new Map<string, number>()

  readonly #onEnd: (session: Session) => void

  /** @param onEnd told when a session ends for good */
  constructor(deps: SessionDeps, router: Router, onEnd: (session: Session) => void) {
    this.#deps = deps
    this.#router = router
    this.#onEnd = onEnd
    for (const stored of deps.store.loadSessions()) {
      const session = new Session(stored, deps)
      // The node ended while it was connected: its time begins now.
      session.expiresAt ??= Date.now() + stored.expirySeconds * 1000
      this.#add(session)
      for (const subscription of stored.subscriptions)
        this.addSubscription({ shareGroup: undefined, id: undefined, ...subscription, session })
    }
  }

  get size(): number {
    return this.#sessions.size
  }

  get(principal: string, clientId: string): Session | undefined {
    return this.#sessions.get(keyOf(principal, clientId))
  }

  /** A new session, or undefined when there are too many. */
  create(principal: string, clientId: string): Session | undefined {
    const { sessions, sessionsPerPrincipal } = this.#deps.limits
    if (this.#sessions.size >= sessions || (this.#countOf.get(principal) ?? 0) >= sessionsPerPrincipal) return undefined
    const session = new Session({ key: keyOf(principal, clientId), principal, clientId }, this.#deps)
    this.#add(session)
    return session
  }

  addSubscription(subscription: Subscription): void {
    const { session, filter } = subscription
    this.removeSubscription(session, filter)
    session.subscriptions.set(filter, subscription)
    this.#router.subscribe(subscription)
  }

  /** Returns false when there was none. */
  removeSubscription(session: Session, filter: string): boolean {
    const subscription = session.subscriptions.get(filter)
    if (!subscription) return false
    session.subscriptions.delete(filter)
    this.#router.unsubscribe(subscription)
    return true
  }

  /** Its connection is gone; a session that does not outlive it ends. */
  disconnected(session: Session): void {
    session.detach()
    session.expiresAt = Date.now() + session.expirySeconds * 1000
    if (session.persistent) session.save()
    else this.discard(session)
  }

  discard(session: Session): void {
    if (this.#sessions.get(session.key) !== session) return
    for (const filter of [...session.subscriptions.keys()]) this.removeSubscription(session, filter)
    this.#sessions.delete(session.key)
    const left = (this.#countOf.get(session.principal) ?? 1) - 1
    if (left > 0) this.#countOf.set(session.principal, left)
    else this.#countOf.delete(session.principal)
    this.#onEnd(session)
    if (session.stored) this.#deps.store.deleteSession(session.key)
  }

  /** Ends the sessions whose time is over. */
  expire(now: number): void {
    for (const session of this.#sessions.values())
      if (!session.connected && session.expiresAt !== undefined && session.expiresAt <= now) this.discard(session)
  }

  #add(session: Session): void {
    this.#sessions.set(session.key, session)
    this.#countOf.set(session.principal, (this.#countOf.get(session.principal) ?? 0) + 1)
  }
}

function keyOf(principal: string, clientId: string): string {
  return `${principal}\n${clientId}`
}

import type { ProjectKey } from '@w3bstream/protocol'
import { ApiError } from '../../api-error.ts'
import type {
  AccountIdentity,
  Door,
  EventAnswer,
  EventInput,
  Identity,
  PublisherIdentity,
  PushAnswer,
  PushItem,
} from '../../endpoint.ts'

export const projectA: ProjectKey = `0x${'a'.repeat(64)}`
export const projectB: ProjectKey = `0x${'b'.repeat(64)}`

/** A device whose token is `<channel>-<key>`. */
export class TestDevice implements PublisherIdentity {
  readonly type = 'publisher'
  valid = true
  readonly project: ProjectKey
  readonly channel: string
  readonly publisherId = '1'
  readonly publisherKey: string

  constructor(project: ProjectKey, channel: string, publisherKey: string) {
    this.project = project
    this.channel = channel
    this.publisherKey = publisherKey
  }
}

export interface Published {
  readonly identity: PublisherIdentity
  readonly event: EventInput
}

/** A door whose commits the test controls. */
export class FakeDoor implements Door {
  readonly events: Published[] = []
  readonly pushes: { channel: string; items: readonly PushItem[] }[] = []
  readonly devices = new Map<string, TestDevice>()
  readonly answers = new Map<string, EventAnswer>()
  /** Set: commits wait until it is called. */
  commit: (() => void) | undefined
  /** Thrown for the next events, one each. */
  readonly failures: Error[] = []
  ready = true
  publicChannel: string | undefined
  #gate: Promise<void> | undefined
  #waiting: (() => void)[] = []

  constructor() {
    for (const key of ['d1', 'd2']) {
      this.devices.set(`demo-${key}`, new TestDevice(projectA, 'demo', key))
      this.devices.set(`other-${key}`, new TestDevice(projectB, 'other', key))
    }
    this.devices.set('demo-wild', new TestDevice(projectA, 'demo', '+'))
  }

  /** From now on commits wait for `commit()`. */
  holdCommits(): void {
    this.#gate = new Promise((resolve) => {
      this.commit = () => {
        this.#gate = undefined
        resolve()
      }
    })
  }

  setReady(ready: boolean): void {
    this.ready = ready
    if (ready) for (const callback of this.#waiting.splice(0)) callback()
  }

  get waiting(): number {
    return this.#waiting.length
  }

  authenticate(token: string): Identity {
    if (token === 'key-of-owner') return account(true)
    if (token === 'key-without-rights') return account(false)
    const device = this.devices.get(token)
    if (!device) throw new ApiError('InvalidToken', 'signature is invalid')
    return device
  }

  async anonymous(channel: string): Promise<PublisherIdentity> {
    if (channel !== this.publicChannel) throw new ApiError('InvalidToken')
    return new TestDevice(projectA, channel, 'anonymous')
  }

  async publish(identity: PublisherIdentity, event: EventInput): Promise<EventAnswer> {
    const failure = this.failures.shift()
    if (failure) throw failure
    if (!this.ready) throw new ApiError('MailboxFull')
    const known = event.idempotencyKey && this.answers.get(event.idempotencyKey)
    if (known) return known
    await this.#gate
    this.events.push({ identity, event })
    const answer: EventAnswer = {
      channel: event.channel,
      publisherID: identity.publisherId,
      publisherKey: identity.publisherKey,
      eventID: event.eventId?.toLowerCase() ?? 'generated_w3b',
      timestamp: 1,
      results: null,
      ...(event.channel !== identity.channel && { error: 'InvalidEventChannel' }),
      messageID: '00',
    }
    if (event.idempotencyKey) this.answers.set(event.idempotencyKey, answer)
    return answer
  }

  async push(_identity: AccountIdentity, channel: string, items: readonly PushItem[]): Promise<PushAnswer[]> {
    this.pushes.push({ channel, items })
    return items.map((_, index) => ({ index, results: null }))
  }

  async publishEnvelope(): Promise<EventAnswer> {
    throw new ApiError('InvalidEnvelope')
  }

  acceptsWork(): boolean {
    return this.ready
  }

  whenReady(_project: ProjectKey, callback: () => void): () => void {
    this.#waiting.push(callback)
    return () => {
      this.#waiting = this.#waiting.filter((waiting) => waiting !== callback)
    }
  }
}

function account(allowed: boolean): AccountIdentity {
  return { type: 'account', accountId: '8801', role: 'DEVELOPER', permits: () => allowed, valid: true }
}

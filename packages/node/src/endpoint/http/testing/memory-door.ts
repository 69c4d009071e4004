import { randomUUID } from 'node:crypto'
import { toHex } from '@w3bstream/protocol'
import type { Accounts } from '../../../account/account.ts'
import { ApiError } from '../../api-error.ts'
import type {
  AccountIdentity,
  Door,
  EventAnswer,
  EventInput,
  EventResult,
  Identity,
  PublisherIdentity,
  PushAnswer,
  PushItem,
} from '../../endpoint.ts'
import type { MemoryProject, MemoryProjects } from './memory-projects.ts'

/** {@link Door} without mailbox and engine: matches strategies, and runs each handler as the test says. */
export class MemoryDoor implements Door {
  readonly #accounts: Accounts
  readonly #projects: MemoryProjects
  /** Exports of a module by code hash. */
  readonly handlers = new Map<string, readonly string[]>()
  /** Events wait for it before they are answered. */
  gate: Promise<void> = Promise.resolve()
  /** Refuses everything with this. */
  refusal: ApiError | undefined
  readonly received: EventInput[] = []

  constructor(accounts: Accounts, projects: MemoryProjects) {
    this.#accounts = accounts
    this.#projects = projects
  }

  authenticate(token: string): Identity {
    const account = this.#accounts.authenticateAccount(token)
    if (account) return account
    const found = this.#projects.findToken(token)
    if (!found) throw new ApiError(token.startsWith('w3b_') ? 'AccessKeyNotFound' : 'PublisherNotFound')
    return identityOf(found.project, found.publisher.key)
  }

  async anonymous(channel: string): Promise<PublisherIdentity> {
    const entry = this.#projects.byName(channel)
    const project = entry && this.#projects.at(entry.key)
    if (!project?.rest.project.public)
      throw new ApiError('InvalidToken', 'token contains an invalid number of segments')
    return identityOf(project, 'anonymous')
  }

  async publish(identity: PublisherIdentity, event: EventInput): Promise<EventAnswer> {
    if (this.refusal) throw this.refusal
    this.received.push(event)
    await this.gate
    const { publisherId: publisherID, publisherKey, channel: own } = identity
    const eventID = (event.eventId ?? `${randomUUID()}_w3b`).toLowerCase()
    const head = { channel: event.channel, publisherID, publisherKey, eventID }
    if (event.channel !== own) return { ...head, timestamp: 0, results: null, error: 'InvalidEventChannel' }
    const project = this.#projects.at(identity.project)
    const { results, messageID } = this.#run(project, { ...event, eventId: eventID }, publisherID)
    return { ...head, timestamp: Date.now(), results, messageID }
  }

  async push(identity: AccountIdentity, channel: string, items: readonly PushItem[]): Promise<PushAnswer[]> {
    const entry = this.#projects.byName(channel)
    if (entry?.accountId !== identity.accountId) throw new ApiError('NoProjectPermission', channel)
    const project = this.#projects.at(entry.key)
    const answers: PushAnswer[] = []
    for (const [index, item] of items.entries()) {
      const { deviceId, eventType, payload } = item
      const { id = '' } = await this.#projects.change(entry.key, {
        op: 'publisher.upsert',
        name: deviceId,
        key: deviceId,
      })
      const event = { channel, eventType, payload, transport: 'http' as const, eventId: `${randomUUID()}_event2` }
      answers.push({ index, results: this.#run(project, event, id).results })
    }
    return answers
  }

  async publishEnvelope(envelope: Uint8Array): Promise<EventAnswer> {
    throw new ApiError('InvalidEnvelope', `${envelope.length} bytes`)
  }

  acceptsWork(): boolean {
    return true
  }

  whenReady(): () => void {
    return () => {}
  }

  #run(project: MemoryProject, event: EventInput & { eventId: string }, publisherId: string) {
    const { eventType = 'DEFAULT', eventId, payload } = event
    const { applets, instances, strategies } = project
    const all = [...strategies.values()]
    const exact = all.filter((strategy) => strategy.eventType === eventType)
    const chosen = exact.length > 0 ? exact : all.filter((strategy) => strategy.eventType === 'DEFAULT')
    const results = chosen.map(({ appletId, handler }): EventResult => {
      const applet = applets.get(appletId)!
      const instance = [...instances.values()].find((one) => one.appletId === appletId)
      const head = { appletName: applet.name, instanceID: instance?.instanceId ?? '0', handler, returnValue: null }
      if (instance?.state !== 'STARTED') return { ...head, code: -1, error: 'instance not running' }
      if (!this.handlers.get(applet.codeHash)?.includes(handler))
        return { ...head, code: -1, error: 'func not imported' }
      return { ...head, code: 0 }
    })
    const logs = chosen.map(({ appletId }) => ({ appletId, instanceId: '', message: Buffer.from(payload).toString() }))
    const id = project.history.append({ publisherId, eventType, eventId, status: 'ok', payload }, logs)
    const height = BigInt(project.history.messages.length)
    for (const observer of project.observers)
      observer({ type: 'committed', height, messages: 1, logs: logs.length, effects: 0 })
    return { results: results.length > 0 ? results : null, messageID: toHex(id) }
  }
}

function identityOf(project: MemoryProject, publisherKey: string): PublisherIdentity {
  const publisher = project.publisherByKey(publisherKey)
  if (!publisher) throw new ApiError('PublisherNotFound', publisherKey)
  const { key, name } = project.entry
  const { publisherId } = publisher
  return { type: 'publisher', project: key, channel: name, publisherId, publisherKey, valid: true }
}

/** What the RPC endpoint needs of the node, kept in memory, for its tests. */
import { encodeEnvelope, fromHex, openEnvelope, type ProjectKey, sha256, toHex } from '@w3bstream/protocol'
import type { LogRow, MessageRow, ProjectReader } from '../../database/database.ts'
import { defaultProjectSettings, type ProjectDefinition } from '../../project/definition.ts'
import type { ProjectEntry, ProjectEvent, Projects } from '../../project/project.ts'
import { silentLogger } from '../../telemetry/logger.ts'
import { createMetrics } from '../../telemetry/metrics.ts'
import { ApiError } from '../api-error.ts'
import type { AccountIdentity, Door, EventInput, Identity, PublisherIdentity } from '../endpoint.ts'
import type { RpcEndpointDeps } from './rpc-endpoint.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
type StoredMessage = MessageRow & { height: bigint }

const projectKey: ProjectKey = `0x${'11'.repeat(32)}`
const otherKey: ProjectKey = `0x${'22'.repeat(32)}`

function entry(key: ProjectKey, projectId: string, accountId: string, name: string): ProjectEntry {
  return { key, projectId, accountId, name, createdMs: 0 }
}

/** One node: account 1 owns `aid_1_demo` with the devices `alpha` and `beta`; account 2 owns `aid_2_other`. */
export class NodeFixture {
  readonly entries = [entry(projectKey, '101', '1', 'aid_1_demo'), entry(otherKey, '102', '2', 'aid_2_other')]
  readonly alpha = device('alpha', '11')
  readonly beta = device('beta', '12')
  readonly owner = account('1')
  readonly stranger = account('2')
  readonly limitedKey = account('1', ['Project'])
  readonly identities = new Map<string, Identity>([
    ['token-alpha', this.alpha],
    ['token-beta', this.beta],
    ['token-owner', this.owner],
    ['token-stranger', this.stranger],
    ['key-project-only', this.limitedKey],
  ])
  readonly published: { publisher: string; event: EventInput }[] = []
  readonly envelopes: Uint8Array[] = []
  readonly messages: StoredMessage[] = []
  readonly logs: (LogRow & { height: bigint; row: number })[] = []
  readonly observers = new Set<(event: ProjectEvent) => void>()
  /** Makes the door answer with this instead. */
  failWith: Error | undefined
  /** Holds publishes back until it resolves. */
  gate: Promise<void> = Promise.resolve()

  readonly #reader = {
    tip: () => ({ height: this.height, batchHash: new Uint8Array(32), stateDigest: new Uint8Array(32), timeMs: 5 }),
    messageById: (id: Uint8Array) => this.messages.find((row) => toHex(row.id) === toHex(id)),
    messages: (height: bigint) => this.messages.filter((row) => row.height === height),
    listLogs: ({ after, size = 10 }: { after?: number; size?: number }) => {
      const data = after === undefined ? this.logs.toReversed() : this.logs.filter((line) => line.row > after)
      return { data: data.slice(0, size), total: data.length }
    },
  }

  get height(): bigint {
    return this.messages.at(-1)?.height ?? 0n
  }

  get door(): Pick<Door, 'authenticate' | 'anonymous' | 'publish' | 'publishEnvelope'> {
    return {
      authenticate: (token) => {
        const identity = this.identities.get(token)
        if (!identity) throw new ApiError('InvalidToken', 'unknown')
        return identity
      },
      anonymous: () => Promise.reject(new ApiError('InvalidToken', 'the project is not public')),
      publish: async (identity, event) => {
        if (this.failWith) throw this.failWith
        if (event.channel !== identity.channel) throw new ApiError('InvalidEventChannel')
        this.published.push({ publisher: identity.publisherKey, event })
        await this.gate
        return this.#commit(identity, event)
      },
      publishEnvelope: async (bytes) => {
        const envelope = openEnvelope(bytes)
        this.envelopes.push(encodeEnvelope(envelope))
        return this.#commit(this.alpha, { channel: 'aid_1_demo', payload: envelope.payload, transport: 'rpc' })
      },
    }
  }

  get projects(): Pick<Projects, 'byKey' | 'byId' | 'byName' | 'definition' | 'reader' | 'observe'> {
    return {
      byKey: (key) => this.entries.find((one) => one.key === key),
      byId: (id) => this.entries.find((one) => one.projectId === id),
      byName: (name) => this.entries.find((one) => one.name === name),
      definition: (key) => Promise.resolve(definition(this.entries.find((one) => one.key === key)!)),
      reader: () => Promise.resolve(this.#reader as unknown as ProjectReader),
      observe: (_key, observer) => {
        this.observers.add(observer)
        return () => this.observers.delete(observer)
      },
    }
  }

  get deps(): RpcEndpointDeps {
    return {
      door: this.door as Door,
      projects: this.projects as Projects,
      exportReceipt: (_key, id) =>
        Promise.resolve({ format: 'w3bstream-receipt/1', summary: { messageId: toHex(id) } }),
      nodeInfo: () => ({ version: '0.1.0' }),
      logger: silentLogger,
      metrics: createMetrics(),
    }
  }

  emit(event: ProjectEvent): void {
    for (const observer of [...this.observers]) observer(event)
  }

  log(text: string): void {
    const row = this.logs.length + 1
    const line = { index: 0, appletId: '1', instanceId: '2', source: 'wasm', level: 6, message: text, timeMs: 1 }
    this.logs.push({ ...line, eventId: '', height: this.height, row })
    this.emit({ type: 'committed', height: this.height, messages: 0, logs: 1, effects: 0 })
  }

  definition(): ProjectDefinition {
    return definition(this.entries[0]!)
  }

  #commit(identity: PublisherIdentity, event: EventInput) {
    const height = this.height + 1n
    const id = sha256(new TextEncoder().encode(`${height}`))
    const { publisherId } = identity
    const base = { index: 0, message: new Uint8Array(), receivedMs: 1, kind: 'data', receipt: new Uint8Array() }
    const eventId = event.eventId ?? ''
    this.messages.push({
      ...base,
      id,
      publisherId,
      eventType: event.eventType ?? 'DEFAULT',
      eventId,
      status: 'ok',
      height,
    })
    this.emit({ type: 'committed', height, messages: 1, logs: 0, effects: 0 })
    return {
      channel: event.channel,
      publisherID: publisherId,
      publisherKey: identity.publisherKey,
      eventID: eventId,
      timestamp: 1,
      results: null,
      messageID: toHex(id),
    }
  }
}

function device(publisherKey: string, publisherId: string): Mutable<PublisherIdentity> {
  return { type: 'publisher', project: projectKey, channel: 'aid_1_demo', publisherId, publisherKey, valid: true }
}

function account(accountId: string, groups?: string[]): Mutable<AccountIdentity> {
  return {
    type: 'account',
    accountId,
    role: 'DEVELOPER',
    permits: (group) => groups?.includes(group) ?? true,
    valid: true,
  }
}

function definition({ projectId, accountId, name }: ProjectEntry): ProjectDefinition {
  const record = { public: false, version: '1', protocol: '', description: '', createdMs: 0, updatedMs: 0 }
  return {
    project: { ...record, projectId, accountId, name, state: 'active' },
    settings: defaultProjectSettings,
    env: [],
    database: {},
    flow: null,
    assets: [],
    applets: new Map(),
    instances: new Map(),
    strategies: new Map(),
    cronJobs: new Map(),
    trafficLimits: new Map(),
  }
}

export const unknownMessage = toHex(fromHex('33'.repeat(32)))

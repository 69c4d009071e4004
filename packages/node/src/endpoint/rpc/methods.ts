/** The methods `w3b_*`; `docs/devices/rpc.md` is their reference. */
import {
  encodeEnvelope,
  envelopeFromJson,
  envelopeLimits,
  fromBase64,
  fromHex,
  type ProjectKey,
  ProtocolError,
} from '@w3bstream/protocol'
import type { Projects } from '../../project/project.ts'
import { ApiError } from '../api-error.ts'
import type { Door, EventAnswer, Identity, PublisherIdentity } from '../endpoint.ts'
import { requireIdentity, requireMessage, requireProject } from './access.ts'
import type { Params, RpcMethod } from './json-rpc.ts'
import { checkParams, type ParamsOf } from './params.ts'
import { projectSummary } from './project-summary.ts'
import type { SubscriptionRequest } from './subscriptions.ts'

export interface MethodDeps {
  readonly door: Door
  readonly projects: Projects
  /** The receipt of a message as JSON that can be checked offline; undefined while the message has none. */
  readonly exportReceipt: (project: ProjectKey, messageId: Uint8Array) => Promise<unknown>
  /** Public facts of this node: version, address, chains. */
  readonly nodeInfo: () => unknown
}

/** What a call knows of its caller. */
export interface CallContext {
  /** Whose the connection or HTTP request is; a token among the parameters counts instead. */
  readonly identity: () => Identity | undefined | Promise<Identity | undefined>
  readonly signal?: AbortSignal
  /** Absent over HTTP. */
  readonly subscriptions?: {
    /** Resolves when the answer to this message was handed over. */
    readonly answered: Promise<void>
    open(request: SubscriptionRequest): Promise<string>
    close(id: string): boolean
  }
}

export function createMethods(deps: MethodDeps): ReadonlyMap<string, RpcMethod<CallContext>> {
  const caller = (params: { token?: string }, context: CallContext) =>
    params.token === undefined ? context.identity() : deps.door.authenticate(params.token)

  async function publish(params: Params, context: CallContext): Promise<EventAnswer> {
    if (Object.hasOwn(params, 'envelope')) {
      const { envelope } = checkParams('publishEnvelope', params)
      return await deps.door.publishEnvelope(envelopeBytes(envelope), 'rpc')
    }
    const event = checkParams('publish', params)
    const identity = (await caller(event, context)) ?? (await deps.door.anonymous(event.channel))
    return await deps.door.publish(requireDevice(identity), eventInput(event), { signal: context.signal })
  }

  async function getReceipt(params: Params, context: CallContext): Promise<unknown> {
    const wanted = checkParams('getReceipt', params)
    const identity = requireIdentity(await caller(wanted, context))
    const project = requireProject(deps.projects, identity, wanted.project, 'Event')
    const id = fromHex(wanted.messageId, 32)
    await requireMessage(await deps.projects.reader(project.key), identity, id)
    const receipt = await deps.exportReceipt(project.key, id)
    if (receipt === undefined) throw new ApiError('ReceiptNotFound')
    return receipt
  }

  async function getProject(params: Params, context: CallContext): Promise<unknown> {
    const wanted = checkParams('getProject', params)
    const identity = requireIdentity(await caller(wanted, context))
    if (identity.type !== 'account') throw new ApiError('NoProjectPermission', 'a device has no view of its project')
    return await projectSummary(deps.projects, requireProject(deps.projects, identity, wanted.project, 'Project'))
  }

  function nodeInfo(params: Params): unknown {
    checkParams('nodeInfo', params)
    return deps.nodeInfo()
  }

  async function subscribe(params: Params, context: CallContext): Promise<string> {
    const { topic, project, token, ...filter } = checkParams('subscribe', params)
    const subscriptions = requireWebSocket(context)
    const identity = requireIdentity(await caller({ token }, context))
    if (identity.type === 'publisher' && topic !== 'receipts')
      throw new ApiError('NoProjectPermission', 'a device may subscribe to its own receipts only')
    const entry = requireProject(deps.projects, identity, project, topic === 'project' ? 'Project' : 'Event')
    const { answered } = subscriptions
    return await subscriptions.open({ kind: topic, project: entry, identity, filter, answered })
  }

  function unsubscribe(params: Params, context: CallContext): boolean {
    return requireWebSocket(context).close(checkParams('unsubscribe', params).subscription)
  }

  return new Map<string, RpcMethod<CallContext>>([
    ['w3b_publish', { positional: ['channel', 'payload', 'eventType'], call: publish }],
    ['w3b_getReceipt', { positional: ['messageId', 'project'], call: getReceipt }],
    ['w3b_getProject', { positional: ['project'], call: getProject }],
    ['w3b_nodeInfo', { positional: [], call: nodeInfo }],
    ['w3b_subscribe', { positional: ['topic', 'project'], call: subscribe }],
    ['w3b_unsubscribe', { positional: ['subscription'], call: unsubscribe }],
  ])
}

function requireDevice(identity: Identity): PublisherIdentity {
  const found = requireIdentity(identity)
  if (found.type !== 'publisher')
    throw new ApiError('InvalidAuthPublisherID', 'events are published with a device’s token')
  return found
}

function requireWebSocket(context: CallContext): NonNullable<CallContext['subscriptions']> {
  if (!context.subscriptions) throw new ApiError('BadRequest', 'subscriptions need a WebSocket')
  return context.subscriptions
}

function eventInput({ token: _, timestamp, payload, encoding, ...event }: ParamsOf<'publish'>) {
  return { ...event, timestampMs: timestamp, payload: payloadBytes(payload, encoding), transport: 'rpc' as const }
}

function payloadBytes(payload: string, encoding: 'utf8' | 'base64' | undefined): Uint8Array {
  if (encoding !== 'base64') return new TextEncoder().encode(payload)
  try {
    // The message that carried the text was within its limit, so the payload is.
    return fromBase64(payload, 'payload', payload.length)
  } catch (cause) {
    throw new ApiError('badRequest', '', {
      fields: [{ field: 'payload', msg: 'must be base64 with padding', in: 'body' }],
      cause,
    })
  }
}

/** The binary form of an envelope in either form. @throws ApiError InvalidEnvelope */
function envelopeBytes(envelope: string | object): Uint8Array {
  try {
    return typeof envelope === 'string'
      ? fromBase64(envelope, 'envelope', envelopeLimits.payloadBytes + 1024)
      : encodeEnvelope(envelopeFromJson(envelope))
  } catch (error) {
    if (error instanceof ProtocolError) throw new ApiError('InvalidEnvelope', error.message, { cause: error })
    throw error
  }
}

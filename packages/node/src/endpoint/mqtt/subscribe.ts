import type { ProjectKey } from '@w3bstream/protocol'
import { readableProject } from './access.ts'
import type { Client } from './client.ts'
import type { SubscribePacket, SubscriptionRequest } from './codec/packets.ts'
import { type Reason, reason } from './codec/reason.ts'
import { hold } from './connection.ts'
import { violation } from './errors.ts'
import type { Subscription } from './message.ts'
import { type ParsedFilter, parseFilter } from './topics.ts'

/** A requested subscription, parsed; `project` is where it may look, undefined when nowhere. */
interface Candidate {
  readonly request: SubscriptionRequest
  readonly filter: ParsedFilter | undefined
  readonly project: ProjectKey | undefined
}

/** @throws MqttError when the packet breaks the protocol; what is only not allowed is answered in the SUBACK */
export function subscribe(client: Client, packet: SubscribePacket): void {
  const filters = packet.requests.map((request) => parseRequest(client, request))
  const projects = filters.map((filter) => filter && readableProject(client, filter, client.broker.resolveProject))
  const { connection, broker } = client
  connection.hold(hold.step)
  Promise.all(projects)
    .then(async (found) => {
      const candidates = packet.requests.map((request, i) => ({ request, filter: filters[i], project: found[i] }))
      await grant(client, packet, candidates)
    })
    .catch((error: unknown) => {
      broker.logger.error('subscribe failed', {}, error)
      client.disconnect(reason.implementationSpecific)
    })
    .finally(() => connection.release(hold.step))
}

export function unsubscribe(client: Client, { packetId, filters }: { packetId: number; filters: string[] }): void {
  const { session, broker } = client
  const granted = filters.map((filter) =>
    broker.sessions.removeSubscription(session, filter) ? reason.success : reason.noSubscriptionExisted,
  )
  session.save()
  client.send({ cmd: 'unsuback', messageId: packetId, granted })
}

function parseRequest({ broker }: Client, { filter, noLocal }: SubscriptionRequest): ParsedFilter | undefined {
  const parsed = parseFilter(filter, broker.limits)
  if (noLocal && parsed?.shareGroup !== undefined)
    throw violation(reason.protocolError, 'no local on a shared subscription')
  return parsed
}

async function grant(client: Client, packet: SubscribePacket, candidates: Candidate[]): Promise<void> {
  const { session, broker, version } = client
  if (!client.connection.open) return
  const retained: Subscription[] = []
  const granted = candidates.map((candidate) => {
    const code = refusal(client, candidate)
    if (code !== undefined) return version === 5 ? code : reason.unspecified
    const subscription = toSubscription(client, packet, candidate)
    const known = session.subscriptions.has(subscription.filter)
    broker.sessions.addSubscription(subscription)
    if (wantsRetained(subscription, known)) retained.push(subscription)
    return subscription.qos
  })
  if (session.persistent) {
    session.save()
    await broker.store.flush()
  }
  client.send({ cmd: 'suback', messageId: packet.packetId, granted })
  for (const subscription of retained) broker.router.sendRetained(subscription)
}

function refusal({ session, broker }: Client, { filter, project, request }: Candidate): Reason | undefined {
  if (!filter) return reason.topicFilterInvalid
  if (project === undefined) return reason.notAuthorized
  const isNew = !session.subscriptions.has(request.filter)
  return isNew && session.subscriptions.size >= broker.limits.subscriptionsPerSession ? reason.quotaExceeded : undefined
}

function toSubscription({ session }: Client, { subscriptionId }: SubscribePacket, candidate: Candidate): Subscription {
  const { filter: text, qos, noLocal, retainAsPublished, retainHandling } = candidate.request
  const { path, shareGroup } = candidate.filter!
  const project = candidate.project!
  return {
    session,
    filter: text,
    path,
    shareGroup,
    project,
    qos,
    noLocal,
    retainAsPublished,
    retainHandling,
    id: subscriptionId,
  }
}

function wantsRetained({ shareGroup, retainHandling }: Subscription, known: boolean): boolean {
  return shareGroup === undefined && (retainHandling === 0 || (retainHandling === 1 && !known))
}

import { describe, expect, it } from 'vitest'
import { createMetrics } from '../../telemetry/metrics.ts'
import type { OutgoingPublish } from './codec/publish.ts'
import type { Subscription } from './message.ts'
import { mqttMetrics } from './metrics.ts'
import { defaultMqttLimits } from './options.ts'
import { Router } from './router.ts'
import { type Link, Session } from './session.ts'
import { noSessionStore } from './session-store.ts'
import { projectA, projectB } from './test/fake-door.ts'

const deps = { limits: defaultMqttLimits, metrics: mqttMetrics(createMetrics()), store: noSessionStore }

class FakeLink implements Link {
  receiveMaximum = 10
  writable = true
  readonly sent: OutgoingPublish[] = []

  sendPublish(packet: OutgoingPublish): boolean {
    this.sent.push(packet)
    return true
  }

  sendRelease(): void {}
}

function connected(clientId: string) {
  const link = new FakeLink()
  const session = new Session({ key: clientId, principal: 'p', clientId, expirySeconds: 10 }, deps)
  session.attach(link)
  return { session, link }
}

function subscription(session: Session, path: string, more: Partial<Subscription> = {}): Subscription {
  const flags = { noLocal: false, retainAsPublished: false, retainHandling: 0 as const }
  return {
    session,
    filter: path,
    path,
    shareGroup: undefined,
    project: projectA,
    qos: 1,
    id: undefined,
    ...flags,
    ...more,
  }
}

const message = { project: projectA, topic: 'a/b', payload: Buffer.from('x'), qos: 1 as const, retain: false }

describe('router', () => {
  it('keeps projects apart', () => {
    const router = new Router(deps)
    const { session, link } = connected('one')
    router.subscribe(subscription(session, '#', { project: projectB }))
    expect([router.route(message), router.hasReader(projectA, 'a/b'), link.sent.length]).toEqual([0, false, 0])
    expect(router.route({ ...message, project: projectB })).toBe(1)
  })

  it('does not send a message back to its own session when that asked for no local', () => {
    const router = new Router(deps)
    const one = connected('one')
    const two = connected('two')
    for (const { session } of [one, two]) router.subscribe(subscription(session, 'a/#', { noLocal: true }))
    router.route({ ...message, origin: one.session })
    expect([one.link.sent.length, two.link.sent.length]).toEqual([0, 1])
  })

  it('gives nothing to a subscription that was removed', () => {
    const router = new Router(deps)
    const { session } = connected('one')
    const plain = subscription(session, 'a/#')
    const shared = subscription(session, 'a/+', { filter: '$share/g/a/+', shareGroup: 'g' })
    for (const one of [plain, shared]) router.subscribe(one)
    expect(router.route(message)).toBe(2)
    for (const one of [plain, shared, shared]) router.unsubscribe(one)
    expect([router.route(message), router.hasReader(projectA, 'a/b')]).toEqual([0, false])
  })
})

describe('message expiry', () => {
  it('ends what waits, tells what is left, and does not touch what was sent', () => {
    const { session, link } = connected('one')
    session.detach()
    const now = Date.now()
    session.deliver({ ...message, expiresAt: now - 1 }, { qos: 1, retain: false })
    session.deliver({ ...message, expiresAt: now + 100_000 }, { qos: 1, retain: false })
    session.attach(link)
    expect(link.sent.map(({ properties }) => properties?.messageExpiry)).toEqual([100])
    session.detach()
    session.attach(link)
    expect(link.sent.map(({ dup }) => dup)).toEqual([false, true])
  })
})

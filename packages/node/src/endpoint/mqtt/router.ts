import type { ProjectKey } from '@w3bstream/protocol'
import type { Qos } from './codec/publish.ts'
import { type Delivery, isExpired, type Message, type Subscription } from './message.ts'
import type { MqttMetrics } from './metrics.ts'
import type { MqttLimits } from './options.ts'
import type { Session } from './session.ts'
import type { SessionStore } from './session-store.ts'
import { matches, TopicTree } from './topic-tree.ts'

/** Subscribers of one group share the messages of their filter: each goes to one of them, in turn. */
interface ShareGroup {
  readonly members: Subscription[]
  next: number
}

interface ProjectTopics {
  readonly subscriptions: TopicTree<Subscription>
  readonly groups: TopicTree<ShareGroup>
  readonly groupsByName: Map<string, ShareGroup>
  readonly retained: Map<string, Message>
}

export interface RouterDeps {
  readonly limits: MqttLimits
  readonly metrics: MqttMetrics
  readonly store: SessionStore
}

/**
 * Finds who reads a message. Everything is kept per project, so that a filter of one project, `#` included, can never
 * match a message of another.
 */
export class Router {
  readonly #deps: RouterDeps
  readonly #projects = new Map<ProjectKey, ProjectTopics>()

  constructor(deps: RouterDeps) {
    this.#deps = deps
    for (const message of deps.store.loadRetained()) this.#topics(message.project).retained.set(message.topic, message)
  }

  subscribe(subscription: Subscription): void {
    const topics = this.#topics(subscription.project)
    if (subscription.shareGroup === undefined) {
      topics.subscriptions.add(subscription.path, subscription)
      return
    }
    let group = topics.groupsByName.get(subscription.filter)
    if (!group) {
      group = { members: [], next: 0 }
      topics.groupsByName.set(subscription.filter, group)
      topics.groups.add(subscription.path, group)
    }
    group.members.push(subscription)
  }

  unsubscribe(subscription: Subscription): void {
    const topics = this.#projects.get(subscription.project)
    if (!topics) return
    if (subscription.shareGroup === undefined) topics.subscriptions.remove(subscription.path, subscription)
    else leaveGroup(topics, subscription)
    if (topics.subscriptions.size === 0 && topics.groupsByName.size === 0 && topics.retained.size === 0)
      this.#projects.delete(subscription.project)
  }

  /** Whether anybody would receive a message on this topic. */
  hasReader(project: ProjectKey, topic: string): boolean {
    const topics = this.#projects.get(project)
    if (!topics || (topics.subscriptions.size === 0 && topics.groupsByName.size === 0)) return false
    return topics.subscriptions.has(topic) || topics.groups.has(topic)
  }

  /** Hands a message to everybody who reads its topic. Returns how many sessions that were. */
  route(message: Message): number {
    if (message.retain) this.#retain(message)
    const topics = this.#projects.get(message.project)
    if (!topics) return 0
    const direct = new Map<Session, Subscription[]>()
    topics.subscriptions.match(message.topic, (subscription) => {
      if (subscription.noLocal && subscription.session === message.origin) return
      const known = direct.get(subscription.session)
      if (known) known.push(subscription)
      else direct.set(subscription.session, [subscription])
    })
    for (const [session, subscriptions] of direct) session.deliver(message, combine(message, subscriptions))
    let count = direct.size
    topics.groups.match(message.topic, (group) => {
      const chosen = choose(group)
      chosen.session.deliver(message, combine(message, [chosen]))
      count++
    })
    return count
  }

  /** Retained messages under a new subscription, delivered with RETAIN set [MQTT-3.3.1-8]. */
  sendRetained(subscription: Subscription): void {
    const topics = this.#projects.get(subscription.project)
    if (!topics) return
    const now = Date.now()
    for (const message of topics.retained.values()) {
      if (isExpired(message, now)) this.#dropRetained(topics, message)
      else if (matches(subscription.path, message.topic)) {
        const { qos } = combine(message, [subscription])
        subscription.session.deliver(message, { qos, retain: true, subscriptionIds: idsOf([subscription]) })
      }
    }
  }

  #retain(message: Message): void {
    const topics = this.#topics(message.project)
    if (message.payload.length === 0) {
      this.#dropRetained(topics, message)
      return
    }
    if (!topics.retained.has(message.topic) && topics.retained.size >= this.#deps.limits.retainedMessages) {
      this.#deps.metrics.dropped.inc({ reason: 'retained_full' })
      return
    }
    const { origin: _, ...kept } = message
    topics.retained.set(message.topic, kept)
    this.#deps.store.putRetained(kept)
  }

  #dropRetained(topics: ProjectTopics, message: Message): void {
    if (topics.retained.delete(message.topic)) this.#deps.store.deleteRetained(message.project, message.topic)
  }

  #topics(project: ProjectKey): ProjectTopics {
    let topics = this.#projects.get(project)
    if (!topics) {
      topics = {
        subscriptions: new TopicTree(),
        groups: new TopicTree(),
        groupsByName: new Map(),
        retained: new Map(),
      }
      this.#projects.set(project, topics)
    }
    return topics
  }
}

function leaveGroup(topics: ProjectTopics, subscription: Subscription): void {
  const group = topics.groupsByName.get(subscription.filter)
  const at = group?.members.indexOf(subscription) ?? -1
  if (!group || at < 0) return
  group.members.splice(at, 1)
  if (group.members.length > 0) return
  topics.groupsByName.delete(subscription.filter)
  topics.groups.remove(subscription.path, group)
}

/** The next member in turn that is connected; when none is, the next in turn, whose session queues the message. */
function choose(group: ShareGroup): Subscription {
  const { members } = group
  for (let i = 0; i < members.length; i++) {
    const at = (group.next + i) % members.length
    if (members[at]!.session.connected) {
      group.next = at + 1
      return members[at]!
    }
  }
  return members[group.next++ % members.length]!
}

/** Overlapping subscriptions of one session: once, with the highest QoS and all identifiers [MQTT-3.3.4-2]. */
function combine(message: Message, subscriptions: Subscription[]): Delivery {
  let qos: Qos = 0
  let retain = false
  for (const subscription of subscriptions) {
    if (subscription.qos > qos) qos = subscription.qos
    if (subscription.retainAsPublished) retain = message.retain
  }
  return { qos: message.qos < qos ? message.qos : qos, retain, subscriptionIds: idsOf(subscriptions) }
}

function idsOf(subscriptions: Subscription[]): number[] | undefined {
  const ids = subscriptions.flatMap(({ id }) => (id === undefined ? [] : [id]))
  return ids.length > 0 ? ids : undefined
}

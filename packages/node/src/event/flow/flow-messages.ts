import { fromHex, type HandlerResult, type Message, type Receipt } from '@w3bstream/protocol'
import type { MaybePromise, ProjectTransaction } from '../../database/database.ts'
import type { HandlerOutcome, LoadedModule } from '../../engine/engine.ts'
import type { Applet, Instance, ProjectDefinition } from '../../project/definition.ts'
import { chooseApplet } from '../../project/flow.ts'
import type { CurrentCall } from '../host/current-call.ts'
import type { HandlerHost } from '../host/handler-host.ts'
import { namespaceOfApplet } from '../router.ts'
import { type FlowHost, type FlowReport, FlowRun } from './flow-run.ts'
import { emittedPrefix, flowTimerType } from './limits.ts'
import type { OperatorCall } from './operators.ts'
import { type FlowPlan, planFlow } from './plan.ts'
import type { FlowStore } from './state.ts'

export interface FlowMessagesDeps {
  readonly host: HandlerHost
  readonly transaction: ProjectTransaction
  /** The batch's clock, milliseconds. */
  readonly timeMs: number
  module(codeHash: string): LoadedModule
  /** What all that is random of a run follows from. */
  seed(messageIndex: number, ordinal: number): Uint8Array
  /** Whether the watchdog stopped this run before. */
  stopped(messageIndex: number, ordinal: number): boolean
}

/** The flow of a definition with whose code it runs. */
interface Ready {
  readonly plan: FlowPlan | undefined
  readonly applet: Applet | undefined
  readonly instance: Instance | undefined
  /** Types that some strategy names. */
  readonly routed: ReadonlySet<string>
}

const prepared = new WeakMap<ProjectDefinition, Ready>()
const nobody: Instance = {
  instanceId: '',
  appletId: '',
  state: 'STARTED',
  cache: { mode: 'MEMORY', prefix: '' },
  createdMs: 0,
  updatedMs: 0,
}

/** The messages of one batch that are for the project's flow. */
export class FlowMessages {
  /** When the flow wants to be woken: undefined when the batch says nothing of it, null when it waits for nothing. */
  wakeMs: number | null | undefined
  readonly #deps: FlowMessagesDeps
  readonly #store: FlowStore

  constructor(deps: FlowMessagesDeps) {
    this.#deps = deps
    const { host, transaction } = deps
    this.#store = {
      get: (namespace, key) => host.writes.get(transaction, namespace, key),
      list: (namespace, range) => host.writes.list(transaction, namespace, range),
      put: (namespace, key, value) => host.putState(namespace, key, value),
    }
  }

  /** The definition has changed: windows may have to go, or can be closed again. */
  changed(before: ProjectDefinition | undefined, after: ProjectDefinition): void {
    const windowed = [before, after].some((one) => one && readyOf(one).plan?.window)
    if (windowed) this.wakeMs = this.#deps.timeMs
  }

  /** Whether a message is for the flow, and not for strategies. */
  takes({ kind, eventType, idempotencyKey }: Message, definition: ProjectDefinition): boolean {
    if (kind === 'timer' && eventType === flowTimerType) return true
    const { plan, routed } = readyOf(definition)
    if (!plan || (kind !== 'data' && idempotencyKey.startsWith(emittedPrefix))) return false
    if (plan.eventTypes.has(eventType)) return true
    const falls = eventType !== '' && definition.settings.defaultFallback && !routed.has(eventType)
    return falls && plan.eventTypes.has('DEFAULT')
  }

  async run(
    message: Message,
    index: number,
    definition: ProjectDefinition,
  ): Promise<Pick<Receipt, 'status' | 'results' | 'detail'>> {
    const ready = readyOf(definition)
    const refusal = refusalOf(ready)
    if (refusal) {
      // What is open waits until somebody changes the project.
      this.wakeMs = null
      return { status: 'failed', results: [refusal], detail: '' }
    }
    const flow = new FlowRun(ready.plan, this.#hostOf(message, index, definition, ready))
    const report = await flow.run(message.eventType === flowTimerType ? undefined : message)
    this.wakeMs = report.wakeMs ?? null
    const { results, failed } = report
    const idle = message.kind === 'timer' && results.length === 0
    return { status: failed ? 'failed' : idle ? 'applied' : 'ok', results, detail: detailOf(report) }
  }

  #hostOf(message: Message, index: number, definition: ProjectDefinition, ready: Ready): FlowHost {
    const { host, timeMs } = this.#deps
    const { instance = nobody, applet } = ready
    const base: CurrentCall = {
      ...callOf(message),
      messageIndex: index,
      ordinal: 0,
      instance,
      namespace: applet ? namespaceOfApplet(applet, instance) : '',
    }
    // A window is of many senders: its operators are told of none.
    const anonymous = { ...base, topic: '', publisherKey: '', signed: false, payload: new Uint8Array(0) }
    let current = base
    return {
      store: this.#store,
      sinks: host,
      clockMs: timeMs,
      fuel: definition.settings.limits.fuel,
      result: resultOf(ready),
      begin: (ordinal, of) => {
        current = of === 'message' ? base : anonymous
        host.begin({ ...current, ordinal })
      },
      end: async (keep) => (host.plain ? host.endPlain(keep) : host.end(keep)),
      note: (level, text) => host.note(base, level, text),
      run: (call) => this.#operate(call, current, definition, ready),
    }
  }

  #operate(
    { handler, payload, accumulator, ordinal, fuel }: OperatorCall,
    base: CurrentCall,
    definition: ProjectDefinition,
    { applet }: Ready,
  ): MaybePromise<HandlerOutcome> {
    const { host, timeMs, module, seed, stopped } = this.#deps
    const { messageIndex } = base
    if (stopped(messageIndex, ordinal)) {
      host.witness.recordStop({ messageIndex, ordinal })
      return { type: 'failed', error: 'WALL_CLOCK', message: 'stopped by the watchdog', fuel: 0n }
    }
    host.next({ ...base, ordinal })
    return module(applet!.codeHash).call({
      handler,
      payload,
      ...(accumulator === undefined ? {} : { accumulator }),
      wantsData: true,
      host,
      clockNs: BigInt(timeMs) * 1_000_000n,
      seed: seed(messageIndex, ordinal),
      limits: { ...definition.settings.limits, fuel },
    })
  }
}

/** What operators see of the message. */
function callOf(message: Message) {
  const { eventId, eventType, topic, publisherKey, origin, payload, timestampMs, receivedMs } = message
  const signed = origin.type === 'signed'
  return { eventId, eventType, topic, publisherKey, signed, payload, timestampMs, receivedMs }
}

function readyOf(definition: ProjectDefinition): Ready {
  let ready = prepared.get(definition)
  if (!ready) {
    const read = planFlow(definition.flow, definition.database)
    const plan = 'plan' in read ? read.plan : undefined
    const applet = plan && appletOf(definition)
    const instance = [...definition.instances.values()].find((one) => one.appletId === applet?.appletId)
    const routed = new Set([...definition.strategies.values()].map(({ eventType }) => eventType))
    ready = { plan, applet, instance, routed }
    prepared.set(definition, ready)
  }
  return ready
}

function appletOf({ flow, applets, strategies }: ProjectDefinition): Applet | undefined {
  const candidates = [...applets.values()].map((applet) => {
    const routes = [...strategies.values()].filter(({ appletId }) => appletId === applet.appletId)
    return { name: applet.name, applet, eventTypes: routes.map(({ eventType }) => eventType) }
  })
  return chooseApplet(flow ?? {}, candidates)?.applet
}

/** Why a flow with operators cannot run, if it cannot. */
function refusalOf(ready: Ready): HandlerResult | undefined {
  const { plan, applet, instance } = ready
  if (!plan || plan.arrival.length + plan.closing.length + (plan.reduce ? 1 : 0) === 0) return undefined
  const refused = (error: string, message: string) => ({ ...resultOf(ready), error, message })
  if (!applet) return refused('INSTANCE_MISSING', 'the flow has no applet: none is named that the project has')
  if (!instance) return refused('INSTANCE_MISSING', 'the applet of the flow has no instance')
  return instance.state === 'STOPPED' ? refused('INSTANCE_STOPPED', 'the instance is stopped') : undefined
}

function resultOf({ applet, instance }: Ready): HandlerResult {
  return {
    appletId: applet?.appletId ?? '',
    instanceId: instance?.instanceId ?? '',
    handler: '',
    codeHash: applet ? fromHex(applet.codeHash, 32) : new Uint8Array(32),
    code: -1,
    error: '',
    message: '',
    fuel: 0n,
  }
}

function detailOf({ late, dropped }: FlowReport): string {
  return late + dropped === 0 ? '' : JSON.stringify({ flow: { late, dropped } })
}

import { parentPort, workerData } from 'node:worker_threads'
import type { ProjectKey } from '@w3bstream/protocol'
import { databases } from '../../../database/index.ts'
import { Snapshots } from '../../../database/snapshot/snapshots.ts'
import type { BlockingFamily } from '../../../engine/engine.ts'
import { createEngine } from '../../../engine/index.ts'
import { vfsKinds } from '../../../vfs/index.ts'
import { LiveModules } from '../../live-modules.ts'
import { AutoSnapshots } from '../auto-snapshots.ts'
import type { ExecutorServices } from '../executor.ts'
import { ProjectThread } from '../project-thread.ts'
import { ProgressWriter } from './watchdog.ts'
import {
  type FromWorker,
  fromWire,
  type Notice,
  type Outcome,
  type Request,
  type ToWorker,
  toWire,
  type WorkerData,
} from './wire.ts'

/** Entry of an executor's thread. */
const port = parentPort!
const { options, progress } = workerData as WorkerData

const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>()
let lastServiceId = 0

const send = (message: FromWorker, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer)

function ask<T>(name: Exclude<keyof ExecutorServices, 'release'>, argument: unknown): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const id = ++lastServiceId
    waiting.set(id, { resolve, reject })
    send({ type: 'service', id, name, argument })
  })
}

const services: ExecutorServices = {
  sign: (request) => ask('sign', request),
  call: (request) => ask('call', request),
  release: (argument) => send({ type: 'release', argument }),
}

const engine = createEngine({ moduleBytes: options.moduleBytes })
const database = databases[options.database.kind]({ directory: options.database.directory })
const writer = new ProgressWriter(progress)
const blocking: ReadonlySet<BlockingFamily> = new Set(
  options.database.kind === 'sqlite' ? ['chain', 'api'] : ['chain', 'api', 'kv', 'sql', 'files'],
)
/** Numbers by which the watchdog knows the projects of this thread. */
const slots = new Map<ProjectKey, number>()
const snapshots =
  options.snapshots &&
  new AutoSnapshots(options.snapshots, {
    database,
    snapshots: new Snapshots(options.snapshots.directory, database),
    report: ({ error, ...report }) =>
      send({ type: 'snapshot', report: { ...report, ...(error !== undefined && { error: toWire(error) }) } }),
  })
const thread = new ProjectThread({
  database,
  engine,
  modules: new LiveModules(engine, vfsKinds.disk({ directory: options.modulesDirectory, readOnly: true }), {
    liveModules: options.liveModules,
    blocking,
  }),
  services,
  ...(snapshots && { snapshots }),
  progressOf: (project) => writer.of(slots.get(project)!),
})

async function answer(request: Request): Promise<unknown> {
  switch (request.type) {
    case 'open':
      slots.set(request.project, request.slot)
      return thread.open(request.project)
    case 'execute':
      return thread.execute(request.batch, request.stopped)
    case 'removeLogs':
      return thread.removeLogs(request.project, request.instanceId)
    case 'inspect':
      return thread.inspectModule(request.wasm)
    case 'close':
      return thread.close(request.project)
    case 'stop':
      return thread.stop()
  }
}

function take(notice: Notice): void {
  const done =
    notice.type === 'outbox'
      ? thread.updateOutbox(notice.project, notice.changes)
      : thread.putCertificate(notice.project, notice.height, notice.certificate)
  done.catch((error: unknown) => send({ type: 'fault', error: toWire(error) }))
}

port.on('message', (message: ToWorker) => {
  if (message.type === 'notice') return take(message.notice)
  if (message.type === 'answer') {
    const { resolve, reject } = waiting.get(message.id)!
    waiting.delete(message.id)
    if (message.outcome.ok) resolve(message.outcome.value as never)
    else reject(fromWire(message.outcome.error))
    return
  }
  const { id, request } = message
  answer(request).then(
    (value) => reply(id, { ok: true, value }),
    (error: unknown) => reply(id, { ok: false, error: toWire(error) }),
  )
})

function reply(id: number, outcome: Outcome): void {
  const packed = outcome.ok ? (outcome.value as { receipts?: Uint8Array } | undefined)?.receipts?.buffer : undefined
  send({ type: 'answer', id, outcome }, packed instanceof ArrayBuffer ? [packed] : [])
}

send({ type: 'ready' })

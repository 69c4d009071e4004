import type { AppletCall, AppletEngine, AppletHost, AppletOutcome } from '@w3bstream/applet-sdk/tool'
import { type HostContext, HostFault, type LoadedModule } from '../engine/engine.ts'
import { createEngine } from '../engine/index.ts'
import { defaultFileLimits } from '../engine/wasi/files/host-files.ts'
import { fixedRecords, MemoryRecords } from '../engine/wasi/files/memory-records.ts'

/** The node's own engine in the shape that tests of applets ask for: an applet is tried on what will run it. */
export function appletEngine(): AppletEngine {
  const engine = createEngine()
  return {
    load(wasm) {
      const prepared = engine.prepare(wasm)
      const module = engine.load(prepared, { mayBlock: true, original: () => wasm })
      return { handlers: [...prepared.handlers, ...prepared.reducers], call: (call) => callWithFiles(module, call) }
    },
    fault: (reason, message) => new HostFault(reason, message),
  }
}

/** What `/data` holds for each simulated node. */
const directories = new WeakMap<AppletHost, MemoryRecords>()

/** As on a node, what a handler wrote into `/data` stays only when it did not fail. */
async function callWithFiles(module: LoadedModule, call: AppletCall): Promise<AppletOutcome> {
  const data = new MemoryRecords(directories.get(call.host))
  const outcome = await module.call({ ...call, host: withFiles(call, data) })
  if (outcome.type === 'returned') directories.set(call.host, data)
  return outcome
}

function withFiles({ host, payload }: AppletCall, data: MemoryRecords): HostContext {
  const { topic = '' } = host.mqttMessage() ?? {}
  const { key: publisherKey = '', signed = false } = host.publisher() ?? {}
  const event = Buffer.from(JSON.stringify({ publisherKey, signed, topic }))
  const input = fixedRecords([
    { path: 'event.json', size: event.length, read: () => event },
    { path: 'payload', size: payload.length, read: () => payload },
  ])
  return {
    log: (...line) => host.log(...line),
    kvGet: (key) => host.kvGet(key),
    kvPut: (key, value) => host.kvPut(key, value),
    sqlExecute: (request) => host.sqlExecute(request),
    sqlQuery: (request) => host.sqlQuery(request),
    env: (key) => host.env(key),
    sendTransaction: (transaction) => host.sendTransaction(transaction),
    callContract: (request) => host.callContract(request),
    publishMqtt: (to, bytes) => host.publishMqtt(to, bytes),
    mqttMessage: () => host.mqttMessage(),
    publisher: () => host.publisher(),
    apiCall: (request) => host.apiCall(request),
    submitMetrics: (json) => host.submitMetrics(json),
    files: () => ({ assets: fixedRecords([]), input, data, limits: defaultFileLimits }),
  }
}

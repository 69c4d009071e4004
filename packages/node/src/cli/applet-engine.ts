import type { AppletEngine } from '@w3bstream/applet-sdk/tool'
import { HostFault } from '../engine/engine.ts'
import { createEngine } from '../engine/index.ts'

/** The node's own engine in the shape that tests of applets ask for: an applet is tried on what will run it. */
export function appletEngine(): AppletEngine {
  const engine = createEngine()
  return {
    load(wasm) {
      const prepared = engine.prepare(wasm)
      const module = engine.load(prepared, { mayBlock: true })
      return { handlers: prepared.handlers, call: (call) => module.call(call) }
    },
    fault: (reason, message) => new HostFault(reason, message),
  }
}

import type { AppletEngine } from '@w3bstream/applet-sdk/tool'
import { HostFault } from '../../src/engine/engine.ts'
import { createEngine } from '../../src/engine/index.ts'

/** The node's engine as the applet kit's tests want it. */
export function realEngine(): AppletEngine {
  const engine = createEngine()
  return {
    load(wasm) {
      const prepared = engine.prepare(wasm)
      const module = engine.load(prepared, { mayBlock: false })
      return { handlers: prepared.handlers, call: (call) => module.call(call) }
    },
    fault: (reason, message) => new HostFault(reason, message),
  }
}

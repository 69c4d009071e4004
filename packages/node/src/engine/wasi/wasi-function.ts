import type { BlockingFamily } from '../engine.ts'
import { hostFuel } from '../host/host-fuel.ts'
import { type HostFunction, hostFunction } from '../host/host-function.ts'
import { errno } from './errno.ts'

const wasiModule = 'wasi_snapshot_preview1'

/** WASI is the guest's own runtime at work, so it is there during initialisation too. */
export function wasiFunction(
  name: string,
  signature: string,
  bind: HostFunction['bind'],
  blocks?: BlockingFamily,
): HostFunction {
  // What the host refuses is what would be too much for the batch.
  return hostFunction(name, signature, bind, {
    module: wasiModule,
    needsCall: false,
    refusal: () => errno.nospc,
    fuel: blocks === 'files' ? hostFuel.file : 0,
    ...(blocks && { blocks }),
  })
}

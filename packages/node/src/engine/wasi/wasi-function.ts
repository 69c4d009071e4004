import { type HostFunction, hostFunction } from '../host/host-function.ts'

const wasiModule = 'wasi_snapshot_preview1'

/** WASI is the guest's own runtime at work, so it is there during initialisation too. */
export function wasiFunction(name: string, signature: string, bind: HostFunction['bind']): HostFunction {
  return hostFunction(name, signature, bind, { module: wasiModule, needsCall: false })
}

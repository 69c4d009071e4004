import { HostFault } from '../engine.ts'
import type { Guest } from './guest.ts'
import { hostFuel } from './host-fuel.ts'
import { hostFunction } from './host-function.ts'
import { status } from './status.ts'

/** `stat.ws_submit_metrics(ptr, size)`: any JSON but an array. */
function submitMetrics(guest: Guest) {
  return (pointer: number, size: number): number => {
    const json = guest.text(pointer, size)
    if (json === undefined) return status.failed
    if (!isMetrics(json)) throw new HostFault('Invalid', 'metrics must be JSON and no array')
    guest.call.host.submitMetrics(json)
    return status.ok
  }
}

function isMetrics(json: string): boolean {
  try {
    return !Array.isArray(JSON.parse(json))
  } catch {
    return false
  }
}

export const metricsFunctions = [
  hostFunction('ws_submit_metrics', 'ii:i', submitMetrics, { module: 'stat', fuel: hostFuel.effect }),
]

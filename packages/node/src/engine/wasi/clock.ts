import type { Guest } from '../host/guest.ts'
import { errno } from './errno.ts'
import { wasiFunction } from './wasi-function.ts'

/** Real time, monotonic, and the processor time of process and thread. */
const clocks = 4
/** A batch's time has milliseconds. */
const resolutionNs = 1_000_000n

function clockTimeGet(guest: Guest) {
  return (clock: number, _precision: bigint, timeAt: number): number => {
    if (clock >>> 0 >= clocks) return errno.inval
    if (!guest.contains(timeAt, 8)) return errno.fault
    guest.view.setBigUint64(timeAt >>> 0, guest.call.clockNs, true)
    return errno.success
  }
}

function clockResGet(guest: Guest) {
  return (clock: number, resolutionAt: number): number => {
    if (clock >>> 0 >= clocks) return errno.inval
    if (!guest.contains(resolutionAt, 8)) return errno.fault
    guest.view.setBigUint64(resolutionAt >>> 0, resolutionNs, true)
    return errno.success
  }
}

export const clockFunctions = [
  wasiFunction('clock_time_get', 'iIi:i', clockTimeGet),
  wasiFunction('clock_res_get', 'ii:i', clockResGet),
]

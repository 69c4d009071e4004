import { CallEnd } from '../host/call-end.ts'
import type { Guest } from '../host/guest.ts'
import { errno } from './errno.ts'
import { wasiFunction } from './wasi-function.ts'

/** There are neither arguments nor environment variables. */
function none() {
  return (): number => errno.success
}

function noneSizes(guest: Guest) {
  return (countAt: number, bytesAt: number): number => {
    if (!guest.contains(countAt, 4) || !guest.contains(bytesAt, 4)) return errno.fault
    guest.view.setUint32(countAt >>> 0, 0, true)
    guest.view.setUint32(bytesAt >>> 0, 0, true)
    return errno.success
  }
}

function randomGet(guest: Guest) {
  return (pointer: number, size: number): number => {
    if (size >>> 0 > guest.call.limits.transferBytes) return errno.inval
    if (!guest.contains(pointer, size)) return errno.fault
    const start = pointer >>> 0
    guest.chargeBytes(size >>> 0)
    guest.call.random(guest.bytes.subarray(start, start + (size >>> 0)))
    return errno.success
  }
}

function procExit() {
  return (code: number): never => {
    throw new CallEnd('EXIT', `proc_exit(${code >>> 0})`)
  }
}

function schedYield() {
  return (): number => errno.success
}

export const environmentFunctions = [
  wasiFunction('args_get', 'ii:i', none),
  wasiFunction('args_sizes_get', 'ii:i', noneSizes),
  wasiFunction('environ_get', 'ii:i', none),
  wasiFunction('environ_sizes_get', 'ii:i', noneSizes),
  wasiFunction('random_get', 'ii:i', randomGet),
  wasiFunction('proc_exit', 'i:', procExit),
  wasiFunction('sched_yield', ':i', schedYield),
]

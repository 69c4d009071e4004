import type { Guest } from './guest.ts'
import { hostFuel } from './host-fuel.ts'
import { hostFunction } from './host-function.ts'
import { wholeCharacters } from './line-buffer.ts'
import { status } from './status.ts'

/** `ws_log(level, ptr, size)`: the number is passed through; who writes the line down knows its name. */
function log(guest: Guest) {
  return (level: number, pointer: number, size: number): number => {
    if (!guest.contains(pointer, size)) {
      guest.complain(`overflow: log line of ${size >>> 0} bytes at ${pointer >>> 0}`)
      return status.failed
    }
    const start = pointer >>> 0
    const limit = guest.call.limits.logLineBytes
    let length = size >>> 0
    if (length > limit) {
      length = wholeCharacters(guest.bytes.subarray(start), limit)
      guest.call.hit('LOG_LIMIT')
    }
    guest.chargeBytes(length)
    guest.call.log(level, 'wasmCode', guest.bytes.toString('utf8', start, start + length))
    return status.ok
  }
}

export const logFunctions = [hostFunction('ws_log', 'iii:i', log, { needsCall: false, fuel: hostFuel.log })]

import type { Guest } from '../host/guest.ts'
import { errno } from './errno.ts'
import { wasiFunction } from './wasi-function.ts'

/** Layout of WASI's `subscription` and `event`. */
const subscriptionBytes = 48
const eventBytes = 32
const tagAt = 8
const timeoutAt = 24
const flagsAt = 40
const absolute = 1
const clockTag = 0

/**
 * Nothing is waited for. File descriptors are ready at once; when there are clocks only, the call's clock jumps to the
 * first of them: a guest that sleeps wakes up immediately, at the time it asked for.
 */
function pollOneoff(guest: Guest) {
  return (subscriptions: number, events: number, count: number, eventsAt: number): number => {
    const total = count >>> 0
    if (total === 0) return errno.inval
    if (total * subscriptionBytes > guest.call.limits.transferBytes) return errno.inval
    const into = total * subscriptionBytes
    if (!guest.contains(subscriptions, into) || !guest.contains(events, total * eventBytes)) return errno.fault
    if (!guest.contains(eventsAt, 4)) return errno.fault
    const waits = readSubscriptions(guest, subscriptions >>> 0, total)
    const wait = soonest(waits)
    guest.call.sleep(wait)
    const due = waits.filter(({ ns }) => ns === wait)
    due.forEach((subscription, index) => {
      writeEvent(guest, (events >>> 0) + index * eventBytes, subscription)
    })
    guest.view.setUint32(eventsAt >>> 0, due.length, true)
    return errno.success
  }
}

interface Wait {
  readonly userData: bigint
  readonly tag: number
  /** How long until it is due. */
  readonly ns: bigint
}

function readSubscriptions(guest: Guest, start: number, count: number): Wait[] {
  const { view } = guest
  return Array.from({ length: count }, (_, index) => {
    const at = start + index * subscriptionBytes
    const tag = view.getUint8(at + tagAt)
    return { userData: view.getBigUint64(at, true), tag, ns: tag === clockTag ? clockWait(guest, at) : 0n }
  })
}

function soonest(waits: readonly Wait[]): bigint {
  let least = waits[0]!.ns
  for (const { ns } of waits) if (ns < least) least = ns
  return least
}

function clockWait(guest: Guest, at: number): bigint {
  const timeout = guest.view.getBigUint64(at + timeoutAt, true)
  if ((guest.view.getUint16(at + flagsAt, true) & absolute) === 0) return timeout
  const { clockNs } = guest.call
  return timeout > clockNs ? timeout - clockNs : 0n
}

function writeEvent(guest: Guest, at: number, { userData, tag }: Wait): void {
  guest.bytes.fill(0, at, at + eventBytes)
  guest.view.setBigUint64(at, userData, true)
  guest.view.setUint8(at + 10, tag)
}

export const pollFunctions = [wasiFunction('poll_oneoff', 'iiii:i', pollOneoff)]

import type { Guest } from './guest.ts'
import { hostFunction } from './host-function.ts'
import { status } from './status.ts'

/** The device behind the resource of this call; nothing for other resources and for messages that no device sent. */
function publisherOf(guest: Guest, rid: number) {
  return rid === guest.call.rid ? guest.call.host.publisher() : undefined
}

function getPublisher(guest: Guest) {
  return (rid: number, keyAt: number, keySizeAt: number): number => {
    const publisher = publisherOf(guest, rid)
    return publisher === undefined ? status.resourceNotFound : guest.handOverText(publisher.key, keyAt, keySizeAt)
  }
}

function isSigned(guest: Guest) {
  return (rid: number): number => (publisherOf(guest, rid)?.signed ? 1 : 0)
}

export const publisherFunctions = [
  hostFunction('ws_get_publisher', 'iii:i', getPublisher, { handsOver: true }),
  // A guest asks it as a condition, where a failure code would count as yes: it answers at every moment.
  hostFunction('ws_is_signed', 'i:i', isSigned, { needsCall: false }),
]

import type { Guest } from './guest.ts'
import { hostFunction } from './host-function.ts'
import { status } from './status.ts'

/** Resources: data under a number, which live as long as the call. The handler is given the number of its payload. */
function getData(guest: Guest) {
  return (rid: number, addressAt: number, sizeAt: number): number => {
    const data = guest.call.resource(rid)
    return data === undefined ? status.resourceNotFound : guest.handOver(data, addressAt, sizeAt)
  }
}

function setData(guest: Guest) {
  return (rid: number, pointer: number, size: number): number => {
    const data = guest.read(pointer, size)
    if (data === undefined) return status.dataToGuest
    return guest.call.setResource(rid, data) ? status.ok : status.failed
  }
}

export const dataFunctions = [
  hostFunction('ws_get_data', 'iii:i', getData, { handsOver: true }),
  hostFunction('ws_set_data', 'iii:i', setData),
]

import type { Guest } from './guest.ts'
import { hostFuel } from './host-fuel.ts'
import { hostFunction } from './host-function.ts'
import { status } from './status.ts'

/** `ws_api_call(ptr, size, pp, ps)`: even HTTP errors are answers; only a host that cannot answer fails. */
function apiCall(guest: Guest) {
  return (pointer: number, size: number, addressAt: number, sizeAt: number) => {
    const request = guest.read(pointer, size)
    if (request === undefined) return status.dataFromGuest
    return guest.whenAnswered(guest.call.host.apiCall(request), (answer) => guest.handOver(answer, addressAt, sizeAt))
  }
}

export const apiFunctions = [
  hostFunction('ws_api_call', 'iiii:i', apiCall, {
    fuel: hostFuel.effect,
    handsOver: true,
    blocks: 'api',
    refusal: () => status.hostInternal,
  }),
]

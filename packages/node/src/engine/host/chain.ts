import { parseContractCall, parseTransaction } from './chain-request.ts'
import type { Guest } from './guest.ts'
import { hostFuel } from './host-fuel.ts'
import { hostFunction } from './host-function.ts'
import { status } from './status.ts'

/** The chain that the oldest applets mean, whose calls name none: the IoTeX testnet. */
const oldestChain = 4690

function sendTransaction(guest: Guest, withOperator: boolean) {
  return (chain: number, pointer: number, size: number, addressAt: number, sizeAt: number) => {
    const text = guest.text(pointer, size)
    if (text === undefined) return status.failed
    const transaction = parseTransaction(chain, text, withOperator)
    return guest.whenAnswered(guest.call.host.sendTransaction(transaction), (hash) =>
      handOver(guest, Buffer.from(hash), addressAt, sizeAt),
    )
  }
}

function sendToOldestChain(guest: Guest) {
  return (pointer: number, size: number) => {
    const text = guest.text(pointer, size)
    if (text === undefined) return status.failed
    const transaction = parseTransaction(oldestChain, text, false)
    return guest.whenAnswered(guest.call.host.sendTransaction(transaction), () => status.ok)
  }
}

function callContract(guest: Guest) {
  return (chain: number, pointer: number, size: number, addressAt: number, sizeAt: number) => {
    const text = guest.text(pointer, size)
    if (text === undefined) return status.failed
    return guest.whenAnswered(guest.call.host.callContract(parseContractCall(chain, text)), (data) =>
      handOver(guest, data, addressAt, sizeAt),
    )
  }
}

function callOldestChain(guest: Guest) {
  const call = callContract(guest)
  return (pointer: number, size: number, addressAt: number, sizeAt: number) =>
    call(oldestChain, pointer, size, addressAt, sizeAt)
}

/** Unlike the other functions these know one failure only. */
function handOver(guest: Guest, data: Uint8Array, addressAt: number, sizeAt: number): number {
  return guest.handOver(data, addressAt, sizeAt) === status.ok ? status.ok : status.failed
}

const options = { blocks: 'chain', fuel: hostFuel.chain } as const

export const chainFunctions = [
  hostFunction('ws_send_tx', 'iiiii:i', (guest) => sendTransaction(guest, false), { ...options, handsOver: true }),
  hostFunction('ws_send_tx', 'ii:i', sendToOldestChain, options),
  hostFunction('ws_send_tx_with_operator', 'iiiii:i', (guest) => sendTransaction(guest, true), {
    ...options,
    handsOver: true,
  }),
  hostFunction('ws_call_contract', 'iiiii:i', callContract, { ...options, handsOver: true }),
  hostFunction('ws_call_contract', 'iiii:i', callOldestChain, { ...options, handsOver: true }),
]

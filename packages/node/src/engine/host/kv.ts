import type { Guest } from './guest.ts'
import { hostFuel } from './host-fuel.ts'
import { hostFunction } from './host-function.ts'
import { status } from './status.ts'

/** A missing value is a code, so that an existing empty one can be told from it. */
function getDb(guest: Guest) {
  return (keyPointer: number, keySize: number, addressAt: number, sizeAt: number) => {
    const key = guest.key(keyPointer, keySize)
    if (key === undefined) return status.resourceNotFound
    return guest.whenAnswered(guest.call.host.kvGet(key), (value) =>
      value === undefined ? status.resourceNotFound : guest.handOver(value, addressAt, sizeAt),
    )
  }
}

function setDb(guest: Guest) {
  return (keyPointer: number, keySize: number, pointer: number, size: number) => {
    const key = guest.key(keyPointer, keySize)
    const value = key === undefined ? undefined : guest.read(pointer, size)
    if (key === undefined || value === undefined) return status.resourceNotFound
    return guest.whenAnswered(guest.call.host.kvPut(key, value), () => status.ok)
  }
}

export const kvFunctions = [
  hostFunction('ws_get_db', 'iiii:i', getDb, { handsOver: true, blocks: 'kv', fuel: hostFuel.kv }),
  hostFunction('ws_set_db', 'iiii:i', setDb, { blocks: 'kv', fuel: hostFuel.kv }),
]

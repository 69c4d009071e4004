import type { Guest } from './guest.ts'
import { hostFunction } from './host-function.ts'
import { status } from './status.ts'

function getEnv(guest: Guest) {
  return (keyPointer: number, keySize: number, addressAt: number, sizeAt: number): number => {
    const key = guest.text(keyPointer, keySize)
    const value = key === undefined ? undefined : guest.call.host.env(key)
    return value === undefined ? status.envKeyNotFound : guest.handOverText(value, addressAt, sizeAt)
  }
}

export const envFunctions = [hostFunction('ws_get_env', 'iiii:i', getEnv, { handsOver: true })]

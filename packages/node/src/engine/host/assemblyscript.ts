import type { Guest } from './guest.ts'
import { hostFunction } from './host-function.ts'
import { logLevel } from './status.ts'

/** An object of AssemblyScript has a header before it: its class 8 bytes, its length in bytes 4 bytes ahead. */
const classAt = 8
const lengthAt = 4
const arrayBufferClass = 1

/**
 * Text at an object of AssemblyScript: a string is UTF-16. `Abort` of the published kit passes an ArrayBuffer with UTF-8
 * instead, which its class number tells.
 */
function objectText(guest: Guest, pointer: number): string {
  const address = pointer >>> 0
  if (address < lengthAt || !guest.contains(address - lengthAt, lengthAt)) return undecodable(address)
  const size = guest.view.getUint32(address - lengthAt, true)
  if (!guest.contains(address, size)) return undecodable(address)
  const kept = Math.min(size, guest.call.limits.logLineBytes)
  const isBuffer = address >= classAt && guest.view.getUint32(address - classAt, true) === arrayBufferClass
  return guest.bytes.toString(isBuffer ? 'utf8' : 'utf16le', address, address + kept)
}

function undecodable(address: number): string {
  return `(cannot decode text at ${address})`
}

/** Logs only; the code that the compiler puts behind the call traps. */
function abort(guest: Guest) {
  return (message: number, file: number, line: number, column: number): undefined => {
    const text = `abort: ${objectText(guest, message)} at ${objectText(guest, file)}:${line >>> 0}:${column >>> 0}`
    guest.call.log(logLevel.error, 'wasmCode', text)
  }
}

function trace(guest: Guest) {
  return (message: number, count: number, ...numbers: number[]): undefined => {
    const shown = numbers.slice(0, Math.max(0, count)).join(', ')
    guest.call.log(logLevel.info, 'wasmCode', `trace: ${objectText(guest, message)} [${shown}]`)
  }
}

/** A number from 1 to 2^53: AssemblyScript seeds its generator with the bits, and zero would be a bad seed. */
function seed(guest: Guest) {
  const bytes = Buffer.alloc(8)
  return (): number => {
    guest.call.random(bytes)
    return Number(bytes.readBigUInt64LE() >> 11n) + 1
  }
}

export const assemblyScriptFunctions = [
  hostFunction('abort', 'iiii:', abort, { needsCall: false }),
  hostFunction('trace', 'iiFFFFF:', trace, { needsCall: false }),
  hostFunction('seed', ':F', seed, { needsCall: false }),
]

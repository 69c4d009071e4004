import type { Guest } from '../host/guest.ts'
import { errno } from './errno.ts'
import { wasiFunction } from './wasi-function.ts'

const ciovecBytes = 8
const characterDevice = 2
const rightWrite = 1n << 6n
const rightRead = 1n << 1n

/** Standard output and error become log lines at debug level; a line ends at a newline or with the call. */
function fdWrite(guest: Guest) {
  return (fd: number, vectors: number, count: number, writtenAt: number): number => {
    const output = fd === 1 ? guest.output[0] : fd === 2 ? guest.output[1] : undefined
    if (output === undefined) return errno.badf
    const parts = gather(guest, vectors, count)
    if (parts === undefined || !guest.contains(writtenAt, 4)) return errno.fault
    let written = 0
    for (const part of parts) {
      output.push(part, guest.call.limits.logLineBytes)
      written += part.length
    }
    guest.view.setUint32(writtenAt >>> 0, written, true)
    return errno.success
  }
}

/** The pieces of memory that a vector names; nothing when one lies outside or they are too much for one call. */
function gather(guest: Guest, vectors: number, count: number): Uint8Array[] | undefined {
  const { transferBytes } = guest.call.limits
  const size = (count >>> 0) * ciovecBytes
  if (size > transferBytes || !guest.contains(vectors, size)) return undefined
  const parts: Uint8Array[] = []
  let total = 0
  for (let at = vectors >>> 0, end = at + size; at < end; at += ciovecBytes) {
    const pointer = guest.view.getUint32(at, true)
    const length = guest.view.getUint32(at + 4, true)
    total += length
    if (total > transferBytes || !guest.contains(pointer, length)) return undefined
    parts.push(guest.bytes.subarray(pointer, pointer + length))
  }
  return parts
}

/** The three standard streams are terminals, so that C libraries write line by line. */
function fdFdstatGet(guest: Guest) {
  return (fd: number, statAt: number): number => {
    if (fd >>> 0 > 2) return errno.badf
    if (!guest.contains(statAt, 24)) return errno.fault
    const at = statAt >>> 0
    guest.bytes.fill(0, at, at + 24)
    guest.view.setUint8(at, characterDevice)
    guest.view.setBigUint64(at + 8, fd === 0 ? rightRead : rightWrite, true)
    return errno.success
  }
}

/** There are no preopened directories. */
function noPreopen() {
  return (): number => errno.badf
}

export const stdioFunctions = [
  wasiFunction('fd_write', 'iiii:i', fdWrite),
  wasiFunction('fd_fdstat_get', 'ii:i', fdFdstatGet),
  wasiFunction('fd_prestat_get', 'ii:i', noPreopen),
]

import { isUtf8 } from 'node:buffer'
import type { Guest } from '../host/guest.ts'
import { fileFault } from './files/steps.ts'

const vectorBytes = 8
const maxPathBytes = 4096

/**
 * The pieces of memory that a list of vectors names, up to the bytes that one host call may move: who wants to move more
 * calls again, as for every short read or write.
 * @throws fileFault fault, inval
 */
export function gather(guest: Guest, vectors: number, count: number): Uint8Array[] {
  const { transferBytes } = guest.call.limits
  const size = (count >>> 0) * vectorBytes
  if (size > transferBytes) throw fileFault('inval')
  if (!guest.contains(vectors, size)) throw fileFault('fault')
  const parts: Uint8Array[] = []
  let room = transferBytes
  for (let at = vectors >>> 0, end = at + size; at < end; at += vectorBytes) {
    const pointer = guest.view.getUint32(at, true)
    const length = guest.view.getUint32(at + 4, true)
    if (!guest.contains(pointer, length)) throw fileFault('fault')
    const taken = Math.min(length, room)
    if (taken > 0) parts.push(guest.bytes.subarray(pointer, pointer + taken))
    room -= taken
  }
  guest.chargeBytes(size + transferBytes - room)
  return parts
}

/** @throws fileFault fault, nametoolong, ilseq */
export function readPath(guest: Guest, pointer: number, length: number): string {
  if (!guest.contains(pointer, length)) throw fileFault('fault')
  if (length >>> 0 > maxPathBytes) throw fileFault('nametoolong')
  guest.chargeBytes(length >>> 0)
  const start = pointer >>> 0
  const bytes = guest.bytes.subarray(start, start + (length >>> 0))
  if (!isUtf8(bytes)) throw fileFault('ilseq')
  return bytes.toString('utf8')
}

/** The address of so many bytes that the guest wants an answer in. @throws fileFault fault */
export function room(guest: Guest, pointer: number, size: number): number {
  if (!guest.contains(pointer, size)) throw fileFault('fault')
  return pointer >>> 0
}

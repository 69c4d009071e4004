import type { Guest } from '../host/guest.ts'
import type { Descriptor, OpenFile } from './files/file-table.ts'
import { rights } from './files/rights.ts'
import { attempt, fileFault } from './files/steps.ts'
import { gather, room } from './guest-memory.ts'
import { writeStream } from './stdio.ts'
import { wasiFunction } from './wasi-function.ts'

const append = 1
/** `whence`. */
const fromStart = 0
const fromHere = 1
const fromEnd = 2

function fdRead(guest: Guest) {
  return (fd: number, vectors: number, count: number, readAt: number): number =>
    attempt(guest, () => {
      const result = room(guest, readAt, 4)
      const parts = gather(guest, vectors, count)
      const descriptor = guest.call.files.get(fd)
      // Standard input is empty.
      const read = descriptor.kind === 'stream' ? endOf(descriptor.number) : readAhead(guest, fd, parts)
      guest.view.setUint32(result, read, true)
    })
}

function endOf(stream: number): number {
  if (stream !== 0) throw fileFault('badf')
  return 0
}

function readAhead(guest: Guest, fd: number, parts: readonly Uint8Array[]): number {
  const file = readable(guest, fd)
  const read = readParts(file, parts, file.position)
  file.position += read
  return read
}

function fdPread(guest: Guest) {
  return (fd: number, vectors: number, count: number, offset: bigint, readAt: number): number =>
    attempt(guest, () => {
      const result = room(guest, readAt, 4)
      const parts = gather(guest, vectors, count)
      guest.view.setUint32(result, readParts(readable(guest, fd), parts, toOffset(offset)), true)
    })
}

function fdWrite(guest: Guest) {
  return (fd: number, vectors: number, count: number, writtenAt: number): number =>
    attempt(guest, () => {
      const result = room(guest, writtenAt, 4)
      const parts = gather(guest, vectors, count)
      const descriptor = guest.call.files.get(fd)
      const written = descriptor.kind === 'stream' ? writeStream(guest, descriptor, parts) : writeOn(guest, fd, parts)
      guest.view.setUint32(result, written, true)
    })
}

function writeOn(guest: Guest, fd: number, parts: readonly Uint8Array[]): number {
  const file = writable(guest, fd)
  const start = (file.flags & append) === 0 ? file.position : file.node.size
  const written = writeParts(file, parts, start)
  if (written > 0) file.position = start + written
  return written
}

function fdPwrite(guest: Guest) {
  return (fd: number, vectors: number, count: number, offset: bigint, writtenAt: number): number =>
    attempt(guest, () => {
      const result = room(guest, writtenAt, 4)
      const parts = gather(guest, vectors, count)
      guest.view.setUint32(result, writeParts(writable(guest, fd), parts, toOffset(offset)), true)
    })
}

function fdSeek(guest: Guest) {
  return (fd: number, delta: bigint, whence: number, offsetAt: number): number =>
    attempt(guest, () => {
      const result = room(guest, offsetAt, 8)
      const file = guest.call.files.file(fd)
      const base = { [fromStart]: 0, [fromHere]: file.position, [fromEnd]: file.node.size }[whence]
      if (base === undefined) throw fileFault('inval')
      file.position = toOffset(BigInt(base) + delta)
      guest.view.setBigUint64(result, BigInt(file.position), true)
    })
}

function fdTell(guest: Guest) {
  return (fd: number, offsetAt: number): number =>
    attempt(guest, () => {
      const result = room(guest, offsetAt, 8)
      guest.view.setBigUint64(result, BigInt(guest.call.files.file(fd).position), true)
    })
}

function fdSetSize(guest: Guest) {
  return (fd: number, size: bigint): number =>
    attempt(guest, () => {
      const { tree, node } = writable(guest, fd)
      tree.resize(node, toOffset(size))
    })
}

/** Makes sure that the file is so long; there is no other promise of room to be made. */
function fdAllocate(guest: Guest) {
  return (fd: number, offset: bigint, length: bigint): number =>
    attempt(guest, () => {
      const { tree, node } = writable(guest, fd)
      const end = toOffset(offset) + toOffset(length)
      if (end > node.size) tree.resize(node, end)
    })
}

/** What is written counts with the call or not at all, so there is nothing to wait for. */
function fdSync(guest: Guest) {
  return (fd: number): number =>
    attempt(guest, () => {
      const descriptor = guest.call.files.get(fd)
      chargeChanges(guest, descriptor)
      if (descriptor.kind === 'file') descriptor.tree.sync(descriptor.node)
    })
}

function fdAdvise(guest: Guest) {
  return (fd: number, _offset: bigint, _length: bigint, advice: number): number =>
    attempt(guest, () => {
      guest.call.files.file(fd)
      if (advice >>> 0 > 5) throw fileFault('inval')
    })
}

function fdClose(guest: Guest) {
  return (fd: number): number =>
    attempt(guest, () => {
      chargeChanges(guest, guest.call.files.get(fd))
      guest.call.files.close(fd)
    })
}

/** A changed file is put as a whole, however little of it was changed. */
function chargeChanges(guest: Guest, descriptor: Descriptor): void {
  if (descriptor.kind === 'file' && descriptor.node.changed) guest.chargeBytes(descriptor.node.size)
}

function fdRenumber(guest: Guest) {
  return (from: number, to: number): number => attempt(guest, () => guest.call.files.renumber(from, to))
}

function readable(guest: Guest, fd: number): OpenFile {
  return withRight(guest.call.files.file(fd), rights.read)
}

function writable(guest: Guest, fd: number): OpenFile {
  // Of a directory POSIX says the same: it is not open for writing.
  if (guest.call.files.get(fd).kind === 'directory') throw fileFault('badf')
  return withRight(guest.call.files.file(fd), rights.write)
}

function withRight(file: OpenFile, right: bigint): OpenFile {
  if ((file.rights & right) === 0n) throw fileFault('badf')
  return file
}

function readParts({ node }: OpenFile, parts: readonly Uint8Array[], start: number): number {
  let offset = start
  for (const part of parts) {
    const read = node.content!.readInto(part, offset)
    offset += read
    if (read < part.length) break
  }
  return offset - start
}

function writeParts({ tree, node }: OpenFile, parts: readonly Uint8Array[], start: number): number {
  let offset = start
  for (const part of parts) {
    tree.write(node, part, offset)
    offset += part.length
  }
  return offset - start
}

/** An offset that numbers can express exactly. @throws fileFault inval */
function toOffset(value: bigint): number {
  if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) throw fileFault('inval')
  return Number(value)
}

export const dataFunctions = [
  wasiFunction('fd_advise', 'iIIi:i', fdAdvise),
  wasiFunction('fd_allocate', 'iII:i', fdAllocate),
  wasiFunction('fd_close', 'i:i', fdClose),
  wasiFunction('fd_datasync', 'i:i', fdSync),
  wasiFunction('fd_filestat_set_size', 'iI:i', fdSetSize),
  wasiFunction('fd_pread', 'iiiIi:i', fdPread),
  wasiFunction('fd_pwrite', 'iiiIi:i', fdPwrite),
  wasiFunction('fd_read', 'iiii:i', fdRead),
  wasiFunction('fd_renumber', 'ii:i', fdRenumber),
  wasiFunction('fd_seek', 'iIii:i', fdSeek),
  wasiFunction('fd_sync', 'i:i', fdSync),
  wasiFunction('fd_tell', 'ii:i', fdTell),
  wasiFunction('fd_write', 'iiii:i', fdWrite),
]

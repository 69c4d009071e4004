import type { Guest } from '../host/guest.ts'
import type { FileNode, FileTree } from './files/file-tree.ts'
import { rights } from './files/rights.ts'
import { attempt, fileFault, run, type Steps } from './files/steps.ts'
import { room } from './guest-memory.ts'
import { wasiFunction } from './wasi-function.ts'

/** `filetype`. */
const fileTypes = { stream: 2, directory: 3, file: 4 } as const
const statBytes = 64
const fdstatBytes = 24
const direntBytes = 24
/** What looking at one entry of a directory counts as, in bytes that are handed over. */
const entryFuelBytes = 64
const fdflagsMask = 0x1f
/** `fstflags`. */
const accessed = 1
const accessedNow = 2
const modified = 4
const modifiedNow = 8

/** The three standard streams are terminals, so that C libraries write line by line. */
function fdFdstatGet(guest: Guest) {
  return (fd: number, statAt: number): number =>
    attempt(guest, () => {
      const at = room(guest, statAt, fdstatBytes)
      const descriptor = guest.call.files.get(fd)
      guest.bytes.fill(0, at, at + fdstatBytes)
      guest.view.setUint8(at, fileTypes[descriptor.kind])
      if (descriptor.kind === 'stream') {
        guest.view.setBigUint64(at + 8, descriptor.number === 0 ? rights.read : rights.write, true)
        return
      }
      guest.view.setUint16(at + 2, descriptor.flags, true)
      guest.view.setBigUint64(at + 8, descriptor.rights, true)
      guest.view.setBigUint64(at + 16, descriptor.inheriting, true)
    })
}

function fdFdstatSetFlags(guest: Guest) {
  return (fd: number, flags: number): number =>
    attempt(guest, () => {
      if (flags >>> 0 > fdflagsMask) throw fileFault('inval')
      const descriptor = guest.call.files.get(fd)
      if (descriptor.kind !== 'stream') descriptor.flags = flags
    })
}

/** Rights can be given up, not gained. */
function fdFdstatSetRights(guest: Guest) {
  return (fd: number, base: bigint, inheriting: bigint): number =>
    attempt(guest, () => {
      const descriptor = guest.call.files.get(fd)
      if (descriptor.kind === 'stream') throw fileFault('notcapable')
      const more = (base & ~descriptor.rights) | (inheriting & ~descriptor.inheriting)
      if (BigInt.asUintN(64, more) !== 0n) throw fileFault('notcapable')
      descriptor.rights = base
      descriptor.inheriting = inheriting
    })
}

function fdFilestatGet(guest: Guest) {
  return (fd: number, statAt: number): number =>
    attempt(guest, () => {
      const at = room(guest, statAt, statBytes)
      const descriptor = guest.call.files.get(fd)
      if (descriptor.kind !== 'stream') return writeStat(guest, at, descriptor.tree, descriptor.node)
      guest.bytes.fill(0, at, at + statBytes)
      guest.view.setUint8(at + 16, fileTypes.stream)
    })
}

function fdFilestatSetTimes(guest: Guest) {
  return (fd: number, accessedNs: bigint, modifiedNs: bigint, flags: number): number =>
    attempt(guest, () => {
      const descriptor = guest.call.files.get(fd)
      if (descriptor.kind === 'stream') throw fileFault('badf')
      setTimes(descriptor.tree, descriptor.node, { accessedNs, modifiedNs, flags })
    })
}

export function writeStat(guest: Guest, at: number, tree: FileTree, node: FileNode): void {
  const { view, bytes } = guest
  bytes.fill(0, at, at + statBytes)
  view.setBigUint64(at, BigInt(tree.device), true)
  view.setBigUint64(at + 8, BigInt(node.number), true)
  view.setUint8(at + 16, fileTypes[node.kind])
  view.setBigUint64(at + 24, node.removed ? 0n : 1n, true)
  view.setBigUint64(at + 32, BigInt(node.size), true)
  for (const time of [40, 48, 56]) view.setBigUint64(at + time, node.modifiedNs, true)
}

/** One time is kept, that of the last change; the time of access follows it. */
export function setTimes(
  tree: FileTree,
  node: FileNode,
  { modifiedNs, flags }: { accessedNs: bigint; modifiedNs: bigint; flags: number },
): void {
  const both = (pair: number) => (flags & pair) === pair
  if (flags >>> 0 > 15 || both(accessed | accessedNow) || both(modified | modifiedNow)) throw fileFault('inval')
  if (flags & modified) tree.setModified(node, BigInt.asUintN(64, modifiedNs))
  else if (flags & modifiedNow) tree.setModified(node, tree.nowNs)
  else if (tree.readOnly) throw fileFault('rofs')
}

function fdPrestatGet(guest: Guest) {
  return (fd: number, prestatAt: number): number =>
    attempt(guest, () => {
      const name = guest.call.files.preopen(fd)
      const at = room(guest, prestatAt, 8)
      guest.view.setUint32(at, 0, true)
      guest.view.setUint32(at + 4, name.length, true)
    })
}

function fdPrestatDirName(guest: Guest) {
  return (fd: number, pointer: number, length: number): number =>
    attempt(guest, () => {
      const name = guest.call.files.preopen(fd)
      if (length >>> 0 < name.length) throw fileFault('nametoolong')
      guest.bytes.write(name, room(guest, pointer, name.length), 'latin1')
    })
}

function fdReaddir(guest: Guest) {
  return (fd: number, pointer: number, length: number, cookie: bigint, usedAt: number) =>
    run(guest, readDirectory(guest, { fd, pointer, length, cookie, usedAt }))
}

interface ReaddirCall {
  readonly fd: number
  readonly pointer: number
  readonly length: number
  readonly cookie: bigint
  readonly usedAt: number
}

/** A cookie is the number of names before it. What does not fit is cut, and the guest asks for it again. */
function* readDirectory(guest: Guest, { fd, pointer, length, cookie, usedAt }: ReaddirCall): Steps<number> {
  const result = room(guest, usedAt, 4)
  const start = room(guest, pointer, length)
  const directory = guest.call.files.directory(fd)
  const { tree, node } = directory
  if (cookie === 0n || directory.listing === undefined) {
    directory.listing = yield* tree.list(node)
    guest.chargeBytes(directory.listing.length * entryFuelBytes)
  }
  const { listing } = directory
  const names = listing.length + 2
  const end = start + Math.min(length >>> 0, guest.call.limits.transferBytes)
  let at = start
  for (let index = toCookie(cookie); index < names && at < end; index++) {
    const entry = direntOf(index, node, listing)
    at += entry.copy(guest.bytes, at, 0, Math.min(entry.length, end - at))
  }
  guest.view.setUint32(result, at - start, true)
  return 0
}

function toCookie(cookie: bigint): number {
  return Number(BigInt.asUintN(52, cookie))
}

function direntOf(index: number, directory: FileNode, listing: readonly FileNode[]): Buffer {
  const above = directory.directory ?? directory
  const node = index === 0 ? directory : index === 1 ? above : listing[index - 2]!
  const name = index === 0 ? '.' : index === 1 ? '..' : node.name
  const entry = Buffer.alloc(direntBytes + Buffer.byteLength(name))
  entry.writeBigUInt64LE(BigInt(index + 1), 0)
  entry.writeBigUInt64LE(BigInt(node.number), 8)
  entry.writeUInt32LE(entry.length - direntBytes, 16)
  entry.writeUInt8(fileTypes[node.kind], 20)
  entry.write(name, direntBytes, 'utf8')
  return entry
}

export const statusFunctions = [
  wasiFunction('fd_fdstat_get', 'ii:i', fdFdstatGet),
  wasiFunction('fd_fdstat_set_flags', 'ii:i', fdFdstatSetFlags),
  wasiFunction('fd_fdstat_set_rights', 'iII:i', fdFdstatSetRights),
  wasiFunction('fd_filestat_get', 'ii:i', fdFilestatGet),
  wasiFunction('fd_filestat_set_times', 'iIIi:i', fdFilestatSetTimes),
  wasiFunction('fd_prestat_get', 'ii:i', fdPrestatGet),
  wasiFunction('fd_prestat_dir_name', 'iii:i', fdPrestatDirName),
  wasiFunction('fd_readdir', 'iiiIi:i', fdReaddir, 'files'),
]

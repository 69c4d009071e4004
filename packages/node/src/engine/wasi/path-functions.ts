import type { Guest } from '../host/guest.ts'
import { errno } from './errno.ts'
import { setTimes, writeStat } from './fd-status.ts'
import type { OpenFile } from './files/file-table.ts'
import type { FileNode } from './files/file-tree.ts'
import { follow, followTo, type Place } from './files/path.ts'
import { rights } from './files/rights.ts'
import { fileFault, run, type Steps } from './files/steps.ts'
import { readPath, room } from './guest-memory.ts'
import { wasiFunction } from './wasi-function.ts'

const statBytes = 64
/** `oflags`. */
const create = 1
const directoryOnly = 2
const exclusive = 4
const truncate = 8
const fdflagsMask = 0x1f

interface OpenCall {
  readonly fd: number
  readonly pathAt: number
  readonly pathLength: number
  readonly oflags: number
  readonly rights: bigint
  readonly inheriting: bigint
  readonly flags: number
  readonly fdAt: number
}

function pathOpen(guest: Guest) {
  return (
    fd: number,
    _lookup: number,
    pathAt: number,
    pathLength: number,
    oflags: number,
    base: bigint,
    inheriting: bigint,
    flags: number,
    fdAt: number,
  ) => run(guest, open(guest, { fd, pathAt, pathLength, oflags, rights: base, inheriting, flags, fdAt }))
}

function* open(guest: Guest, call: OpenCall): Steps<number> {
  const result = room(guest, call.fdAt, 4)
  const { files } = guest.call
  const from = files.directory(call.fd)
  if (call.flags >>> 0 > fdflagsMask || call.oflags >>> 0 > 15) throw fileFault('inval')
  if (call.oflags & create && call.oflags & directoryOnly) throw fileFault('inval')
  const place = yield* follow(from.tree, from.node, readPath(guest, call.pathAt, call.pathLength))
  if (place.slash && call.oflags & create) throw fileFault(place.node?.kind === 'file' ? 'notdir' : 'isdir')
  const fd = files.reserve()
  const node = place.node ? existing(from, place.node, place, call) : yield* created(from, place, call)
  if (node.kind === 'file' && node.content === undefined) guest.chargeBytes(node.size)
  yield* from.tree.open(node)
  if (call.oflags & truncate) empty(from, node)
  const granted = call.rights & rights.all & (from.tree.readOnly ? ~rights.changing : -1n)
  files.put(fd, {
    kind: node.kind,
    tree: from.tree,
    node,
    rights: granted & (node.kind === 'file' ? rights.ofFile : rights.ofDirectory),
    inheriting: call.inheriting & from.inheriting,
    flags: call.flags,
    position: 0,
    listing: undefined,
  })
  guest.view.setUint32(result, fd, true)
  return 0
}

function empty({ tree }: OpenFile, node: FileNode): void {
  try {
    if (node.size > 0) tree.resize(node, 0)
  } catch (error) {
    tree.close(node)
    throw error
  }
}

/** Whether what is there may be opened so. */
function existing({ tree }: OpenFile, node: FileNode, place: Place, { oflags, rights: base }: OpenCall): FileNode {
  const changes = (oflags & truncate) !== 0 || (base & rights.write) !== 0n
  if (oflags & create && oflags & exclusive) throw fileFault('exist')
  if (node.kind === 'file') {
    if (place.slash || oflags & directoryOnly) throw fileFault('notdir')
    if (changes && tree.readOnly) throw fileFault('rofs')
  } else if (oflags & truncate || (changes && !(oflags & directoryOnly))) throw fileFault('isdir')
  return node
}

function* created({ tree }: OpenFile, place: Place, { oflags }: OpenCall): Steps<FileNode> {
  if (!(oflags & create)) throw fileFault('noent')
  return yield* tree.create(place.directory, place.name, 'file')
}

/** A function of a directory and one path in it. */
function onPath(name: string, work: (from: OpenFile, path: string) => Steps<void>) {
  return wasiFunction(
    name,
    'iii:i',
    (guest) => (fd: number, pointer: number, length: number) =>
      run(
        guest,
        (function* (): Steps<number> {
          yield* work(guest.call.files.directory(fd), readPath(guest, pointer, length))
          return 0
        })(),
      ),
    'files',
  )
}

function* createDirectory({ tree, node }: OpenFile, path: string): Steps<void> {
  const place = yield* follow(tree, node, path)
  if (place.node) throw fileFault('exist')
  yield* tree.create(place.directory, place.name, 'directory')
}

function* removeDirectory({ tree, node }: OpenFile, path: string): Steps<void> {
  const place = yield* follow(tree, node, path)
  if (!place.node) throw fileFault('noent')
  if (place.node.kind === 'file') throw fileFault('notdir')
  if (place.name === '') throw fileFault('inval')
  yield* tree.remove(place.node)
}

function* unlinkFile({ tree, node }: OpenFile, path: string): Steps<void> {
  const place = yield* follow(tree, node, path)
  if (!place.node) throw fileFault('noent')
  if (place.node.kind === 'directory') throw fileFault('isdir')
  if (place.slash) throw fileFault('notdir')
  yield* tree.remove(place.node)
}

function pathRename(guest: Guest) {
  return (fd: number, oldAt: number, oldLength: number, newFd: number, newAt: number, newLength: number) =>
    run(
      guest,
      rename(guest, { fd, pointer: oldAt, length: oldLength }, { fd: newFd, pointer: newAt, length: newLength }),
    )
}

interface PathArgument {
  readonly fd: number
  readonly pointer: number
  readonly length: number
}

function* rename(guest: Guest, from: PathArgument, to: PathArgument): Steps<number> {
  const { files } = guest.call
  const [source, target] = [files.directory(from.fd), files.directory(to.fd)]
  const [oldPath, newPath] = [from, to].map(({ pointer, length }) => readPath(guest, pointer, length)) as [
    string,
    string,
  ]
  const old = yield* follow(source.tree, source.node, oldPath)
  if (!old.node) throw fileFault('noent')
  if (old.slash && old.node.kind === 'file') throw fileFault('notdir')
  const place = yield* follow(target.tree, target.node, newPath)
  if (old.name === '' || place.name === '') throw fileFault('inval')
  if (source.tree !== target.tree) throw fileFault('xdev')
  if (place.slash && old.node.kind === 'file') throw fileFault('notdir')
  yield* source.tree.move(old.node, place.directory, place.name)
  return 0
}

function pathFilestatGet(guest: Guest) {
  return (fd: number, _lookup: number, pointer: number, length: number, statAt: number) =>
    run(guest, status(guest, { fd, pointer, length }, statAt))
}

function* status(guest: Guest, { fd, pointer, length }: PathArgument, statAt: number): Steps<number> {
  const at = room(guest, statAt, statBytes)
  const { tree, node } = guest.call.files.directory(fd)
  writeStat(guest, at, tree, yield* followTo(tree, node, readPath(guest, pointer, length)))
  return 0
}

function pathFilestatSetTimes(guest: Guest) {
  return (
    fd: number,
    _lookup: number,
    pointer: number,
    length: number,
    accessedNs: bigint,
    modifiedNs: bigint,
    flags: number,
  ) => run(guest, setTimesAt(guest, { fd, pointer, length }, { accessedNs, modifiedNs, flags }))
}

function* setTimesAt(
  guest: Guest,
  { fd, pointer, length }: PathArgument,
  times: Parameters<typeof setTimes>[2],
): Steps<number> {
  const { tree, node } = guest.call.files.directory(fd)
  setTimes(tree, yield* followTo(tree, node, readPath(guest, pointer, length)), times)
  return 0
}

/** There are no symbolic links, so nothing that a path names is one. */
function pathReadlink(guest: Guest) {
  return (fd: number, pointer: number, length: number) => run(guest, readLink(guest, { fd, pointer, length }))
}

function* readLink(guest: Guest, { fd, pointer, length }: PathArgument): Steps<number> {
  const { tree, node } = guest.call.files.directory(fd)
  yield* followTo(tree, node, readPath(guest, pointer, length))
  throw fileFault('inval')
}

/** Neither symbolic nor hard links can be made: a name has one file, and a file one name. */
function noLink() {
  return (): number => errno.notsup
}

export const pathFunctions = [
  wasiFunction('path_open', 'iiiiiIIii:i', pathOpen, 'files'),
  onPath('path_create_directory', createDirectory),
  onPath('path_remove_directory', removeDirectory),
  onPath('path_unlink_file', unlinkFile),
  wasiFunction('path_rename', 'iiiiii:i', pathRename, 'files'),
  wasiFunction('path_filestat_get', 'iiiii:i', pathFilestatGet, 'files'),
  wasiFunction('path_filestat_set_times', 'iiiiIIi:i', pathFilestatSetTimes, 'files'),
  wasiFunction('path_readlink', 'iiiiii:i', pathReadlink, 'files'),
  wasiFunction('path_link', 'iiiiiii:i', noLink),
  wasiFunction('path_symlink', 'iiiii:i', noLink),
]

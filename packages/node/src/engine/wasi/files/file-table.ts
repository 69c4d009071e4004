import { type FileNode, FileTree } from './file-tree.ts'
import type { HostFiles } from './host-files.ts'
import { MemoryRecords } from './memory-records.ts'
import { rights } from './rights.ts'
import { fileFault } from './steps.ts'

/** Standard input, which is empty, or one of the two streams that become log lines. */
export interface Stream {
  readonly kind: 'stream'
  readonly number: 0 | 1 | 2
}

/** An open file or directory. */
export interface OpenFile {
  readonly kind: 'file' | 'directory'
  readonly tree: FileTree
  readonly node: FileNode
  rights: bigint
  inheriting: bigint
  /** `fdflags`. */
  flags: number
  /** Where the next read or write begins, bytes. */
  position: number
  /** The names that `fd_readdir` goes through; made when it begins, so that changes do not move its cookies. */
  listing: readonly FileNode[] | undefined
}

export type Descriptor = Stream | OpenFile

/** What is open before the guest opens anything, from descriptor 3 on. */
export const preopens = ['/assets', '/input', '/tmp', '/data'] as const
const firstPreopen = 3
/** Descriptors of one call, streams and preopened directories included. */
const maxDescriptors = 1024

/** The descriptors of one call. Nothing of them is left when it ends. */
export class FileTable {
  readonly #open = new Map<number, Descriptor>()

  constructor(files: HostFiles, now: () => bigint) {
    for (const number of [0, 1, 2] as const) this.#open.set(number, { kind: 'stream', number })
    const { fileBytes, files: count, projectFileBytes, scratchBytes } = files.limits
    const scratch = { fileBytes: scratchBytes, files: count, totalBytes: scratchBytes }
    const directory = { fileBytes, files: count, totalBytes: projectFileBytes }
    const trees = [
      new FileTree(1, files.assets, undefined, now),
      new FileTree(2, files.input, undefined, now),
      new FileTree(3, new MemoryRecords(), scratch, now),
      new FileTree(4, files.data, directory, now),
    ]
    for (const [index, tree] of trees.entries()) this.#open.set(firstPreopen + index, preopened(tree))
  }

  /** @throws fileFault badf */
  get(fd: number): Descriptor {
    const descriptor = this.#open.get(fd >>> 0)
    if (descriptor === undefined) throw fileFault('badf')
    return descriptor
  }

  /** @throws fileFault badf; spipe for a stream, isdir for a directory */
  file(fd: number): OpenFile {
    const descriptor = this.get(fd)
    if (descriptor.kind === 'stream') throw fileFault('spipe')
    if (descriptor.kind === 'directory') throw fileFault('isdir')
    return descriptor
  }

  /** @throws fileFault badf, notdir */
  directory(fd: number): OpenFile {
    const descriptor = this.get(fd)
    if (descriptor.kind !== 'directory') throw fileFault('notdir')
    return descriptor
  }

  /** The name of a directory that was open from the beginning and still is. @throws fileFault badf, notdir */
  preopen(fd: number): string {
    const descriptor = this.get(fd)
    const name = preopens[(fd >>> 0) - firstPreopen]
    if (name === undefined || descriptor.kind !== 'directory' || descriptor.node.directory) throw fileFault('badf')
    return name
  }

  /** @returns the lowest free number. @throws fileFault mfile, before anything was opened */
  reserve(): number {
    if (this.#open.size >= maxDescriptors) throw fileFault('mfile')
    let fd = firstPreopen
    while (this.#open.has(fd)) fd++
    return fd
  }

  /** @param fd from {@link reserve} */
  put(fd: number, descriptor: OpenFile): void {
    this.#open.set(fd, descriptor)
  }

  /** @throws fileFault badf */
  close(fd: number): void {
    const descriptor = this.get(fd)
    this.#open.delete(fd >>> 0)
    if (descriptor.kind !== 'stream') descriptor.tree.close(descriptor.node)
  }

  /** Gives an open descriptor the number of another one, which is closed. @throws fileFault badf */
  renumber(from: number, to: number): void {
    const descriptor = this.get(from)
    this.get(to)
    if (from >>> 0 === to >>> 0) return
    this.close(to)
    this.#open.delete(from >>> 0)
    this.#open.set(to >>> 0, descriptor)
  }

  closeAll(): void {
    for (const fd of [...this.#open.keys()]) this.close(fd)
  }
}

function preopened(tree: FileTree): OpenFile {
  const { root: node } = tree
  node.opened++
  return {
    kind: 'directory',
    tree,
    node,
    rights: rights.ofDirectory,
    // What changes something is refused by the file system, which says so, and not by a right that is missing.
    inheriting: rights.all,
    flags: 0,
    position: 0,
    listing: undefined,
  }
}

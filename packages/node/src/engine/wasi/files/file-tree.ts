import { FileContent } from './file-content.ts'
import {
  decodeEntry,
  decodeTotals,
  encodeEntry,
  encodeTotals,
  type FileRecords,
  rootNumber,
  type Totals,
} from './records.ts'
import { fileFault, type Steps, wait } from './steps.ts'

/** A file or directory while a call knows it; everything that has it open shares it. */
export interface FileNode {
  readonly kind: 'file' | 'directory'
  readonly number: number
  /** Undefined for the root. */
  directory: FileNode | undefined
  name: string
  size: number
  modifiedNs: bigint
  /** Descriptors that have it open. */
  opened: number
  /** Of a file that is open. */
  content: FileContent | undefined
  /** Changed since it was last put into the records. */
  changed: boolean
  /** Its name was removed; what has it open may go on. */
  removed: boolean
}

export interface TreeLimits {
  /** Bytes of one file. */
  readonly fileBytes: number
  /** Files and directories. */
  readonly files: number
  /** Bytes of all files. */
  readonly totalBytes: number
}

/** Bytes that a record and its key take at most: what is held for an entry or the totals. */
const recordBytes = 512

/**
 * A directory with all below it, during one call. Changes of names go to the records at once; a file's bytes when it is
 * closed or synced, so that however often it is written, it is put once.
 */
export class FileTree {
  /** Tells trees apart in what `stat` answers. */
  readonly device: number
  readonly readOnly: boolean
  readonly root: FileNode
  readonly #records: FileRecords
  readonly #limits: TreeLimits
  readonly #now: () => bigint
  readonly #nodes = new Map<number, FileNode>()
  #totals: Totals | undefined

  /** @param limits undefined: the tree can be read only */
  constructor(device: number, records: FileRecords, limits: TreeLimits | undefined, now: () => bigint) {
    this.device = device
    this.readOnly = limits === undefined
    this.#records = records
    this.#limits = limits ?? { fileBytes: 0, files: maxListed, totalBytes: 0 }
    this.#now = now
    this.root = this.#node({ kind: 'directory', number: rootNumber, size: 0, modifiedNs: now() }, undefined, '')
  }

  *find(directory: FileNode, name: string): Steps<FileNode | undefined> {
    const record = yield* wait(this.#records.get('entry', entryKey(directory, name)))
    return record && this.#known(record, directory, name)
  }

  /** What lies in a directory, in the order of the names' UTF-8 bytes. */
  *list(directory: FileNode, limit = this.#limits.files): Steps<FileNode[]> {
    const prefix = entryKey(directory, '')
    const entries = yield* wait(this.#records.entries(prefix, limit))
    return entries.map(({ key, value }) => this.#known(value, directory, key.slice(prefix.length)))
  }

  *create(directory: FileNode, name: string, kind: FileNode['kind']): Steps<FileNode> {
    const totals = yield* this.#change()
    if (directory.removed) throw fileFault('noent')
    if (totals.files >= this.#limits.files) throw fileFault('nospc')
    this.#records.hold(2 * recordBytes)
    totals.files++
    const node = this.#node({ kind, number: totals.nextNumber++, size: 0, modifiedNs: this.#now() }, directory, name)
    this.#putEntry(node)
    this.#putTotals(totals)
    return node
  }

  /** Takes a node's name away; its bytes go with the last that has it open. */
  *remove(node: FileNode): Steps<void> {
    const totals = yield* this.#change()
    if (node.kind === 'directory' && (yield* this.list(node, 1)).length > 0) throw fileFault('notempty')
    this.#records.hold(2 * recordBytes)
    this.#records.put('entry', entryKey(node.directory!, node.name), null)
    node.removed = true
    totals.files--
    if (node.opened === 0) this.#forget(node, totals)
    this.#putTotals(totals)
  }

  /** Gives a node another name, in the place of what may have it. */
  *move(node: FileNode, directory: FileNode, name: string): Steps<void> {
    yield* this.#change()
    if (directory.removed) throw fileFault('noent')
    for (let above: FileNode | undefined = directory; above; above = above.directory)
      if (above === node) throw fileFault('inval')
    const old = yield* this.find(directory, name)
    if (old === node) return
    if (old) {
      if (old.kind !== node.kind) throw fileFault(old.kind === 'directory' ? 'isdir' : 'notdir')
      yield* this.remove(old)
    }
    this.#records.hold(2 * recordBytes)
    this.#records.put('entry', entryKey(node.directory!, node.name), null)
    node.directory = directory
    node.name = name
    this.#putEntry(node)
  }

  /** Begins to use a node; {@link close} ends it. A file's bytes are at hand until then. */
  *open(node: FileNode): Steps<void> {
    if (node.kind === 'file' && node.content === undefined) {
      if (!this.readOnly) yield* this.#change()
      const bytes = node.size === 0 ? undefined : yield* wait(this.#records.get('content', String(node.number)))
      node.content ??= new FileContent(bytes ?? new Uint8Array(0))
    }
    node.opened++
  }

  close(node: FileNode): void {
    if (--node.opened > 0) return
    if (node.removed) {
      const totals = this.#totals!
      this.#forget(node, totals)
      this.#putTotals(totals)
    } else this.sync(node)
    node.content = undefined
  }

  /** Puts a file's bytes into the records when they changed. */
  sync(node: FileNode): void {
    if (!node.changed || node.removed) return
    node.changed = false
    this.#records.put('content', String(node.number), node.size === 0 ? null : node.content!.copy())
    this.#putEntry(node)
    this.#putTotals(this.#totals!)
  }

  /** Writes to an open file. */
  write(node: FileNode, bytes: Uint8Array, offset: number): void {
    this.#reserve(node, Math.max(node.size, offset + bytes.length))
    node.content!.write(bytes, offset)
    node.size = node.content!.size
  }

  /** Cuts an open file, or lengthens it with zeros. */
  resize(node: FileNode, size: number): void {
    this.#reserve(node, size)
    node.content!.resize(size)
    node.size = size
  }

  setModified(node: FileNode, modifiedNs: bigint): void {
    if (this.readOnly) throw fileFault('rofs')
    this.#records.hold(recordBytes)
    node.modifiedNs = modifiedNs
    if (node !== this.root && !node.removed) this.#putEntry(node)
  }

  get nowNs(): bigint {
    return this.#now()
  }

  /** Makes sure that a file may have so many bytes, before it gets them. @throws fileFault fbig, nospc; HostFault Limit */
  #reserve(node: FileNode, size: number): void {
    const totals = this.#totals!
    const growth = size - node.size
    if (growth > 0 && size > this.#limits.fileBytes) throw fileFault('fbig')
    if (growth > 0 && totals.bytes + growth > this.#limits.totalBytes) throw fileFault('nospc')
    this.#records.hold(Math.max(growth, 0) + (node.changed ? 0 : node.size + 2 * recordBytes))
    totals.bytes += growth
    node.changed = true
    node.modifiedNs = this.#now()
  }

  /** The totals, without which nothing may be changed. */
  *#change(): Steps<Totals> {
    if (this.readOnly) throw fileFault('rofs')
    if (this.#totals === undefined) {
      const record = yield* wait(this.#records.get('total', ''))
      this.#totals ??= decodeTotals(record)
    }
    return this.#totals
  }

  #forget(node: FileNode, totals: Totals): void {
    totals.bytes -= node.size
    if (node.kind === 'file') this.#records.put('content', String(node.number), null)
    this.#nodes.delete(node.number)
  }

  #putEntry(node: FileNode): void {
    this.#records.put('entry', entryKey(node.directory!, node.name), encodeEntry(node))
  }

  #putTotals(totals: Totals): void {
    this.#records.put('total', '', encodeTotals(totals))
  }

  #known(record: Uint8Array, directory: FileNode, name: string): FileNode {
    const entry = decodeEntry(record)
    return this.#nodes.get(entry.number) ?? this.#node(entry, directory, name)
  }

  #node(
    { kind, number, size, modifiedNs }: Pick<FileNode, 'kind' | 'number' | 'size' | 'modifiedNs'>,
    directory: FileNode | undefined,
    name: string,
  ): FileNode {
    const node: FileNode = {
      kind,
      number,
      directory,
      name,
      size,
      modifiedNs: this.readOnly ? this.#now() : modifiedNs,
      opened: 0,
      content: undefined,
      changed: false,
      removed: false,
    }
    this.#nodes.set(number, node)
    return node
  }
}

/** Entries of a directory that cannot grow. */
const maxListed = 100_000

function entryKey(directory: FileNode, name: string): string {
  return `${directory.number}/${name}`
}

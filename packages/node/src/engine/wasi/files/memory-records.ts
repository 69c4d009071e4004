import { encodeEntry, type FileRecords, type RecordSpace, rootNumber } from './records.ts'

/** Records in memory: the scratch files of one call. */
export class MemoryRecords implements FileRecords {
  readonly #spaces: Record<RecordSpace, Map<string, Uint8Array>>

  /** @param from records to begin with; they stay as they are */
  constructor(from?: MemoryRecords) {
    const of = (space: RecordSpace) => new Map(from === undefined ? [] : from.#spaces[space])
    this.#spaces = { entry: of('entry'), content: of('content'), total: of('total') }
  }

  get(space: RecordSpace, key: string): Uint8Array | undefined {
    return this.#spaces[space].get(key)
  }

  entries(prefix: string, limit: number): { key: string; value: Uint8Array }[] {
    return inOrder(this.#spaces.entry, prefix).slice(0, limit)
  }

  put(space: RecordSpace, key: string, value: Uint8Array | null): void {
    if (value === null) this.#spaces[space].delete(key)
    else this.#spaces[space].set(key, value)
  }

  /** The limits of the tree bound what is kept. */
  hold(): void {}
}

/** A file that can be read and not changed. */
export interface FixedFile {
  /** Names separated by `/`; no path may be a directory of another. */
  readonly path: string
  readonly size: number
  read(): Uint8Array
}

/** Records of files that are given; their contents are read when they are asked for. */
export function fixedRecords(files: readonly FixedFile[]): FileRecords {
  const entries = new Map<string, Uint8Array>()
  const numbers = new Map<string, number>([['', rootNumber]])
  const contents = new Map<string, FixedFile>()
  const add = (path: string, kind: 'file' | 'directory', size: number): number => {
    const cut = path.lastIndexOf('/')
    const parent = path.slice(0, Math.max(cut, 0))
    const directory = numbers.get(parent) ?? add(parent, 'directory', 0)
    const number = rootNumber + numbers.size
    numbers.set(path, number)
    entries.set(`${directory}/${path.slice(cut + 1)}`, encodeEntry({ kind, number, size, modifiedNs: 0n }))
    return number
  }
  for (const file of files) contents.set(String(add(file.path, 'file', file.size)), file)
  return {
    get: (space, key) => (space === 'entry' ? entries.get(key) : contents.get(key)?.read()),
    entries: (prefix, limit) => inOrder(entries, prefix).slice(0, limit),
    put: refuse,
    hold: refuse,
  }
}

function refuse(): never {
  throw new Error('these files cannot be changed')
}

function inOrder(map: ReadonlyMap<string, Uint8Array>, prefix: string): { key: string; value: Uint8Array }[] {
  return [...map]
    .filter(([key]) => key.startsWith(prefix))
    .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map(([key, value]) => ({ key, value }))
}

import { LRUCache } from 'lru-cache'
import { fixedRecords } from '../engine/wasi/files/memory-records.ts'
import type { FileRecords } from '../engine/wasi/files/records.ts'
import type { Asset } from '../project/definition.ts'
import type { Vfs } from '../vfs/vfs.ts'

/** Bytes of assets that a thread keeps for the next call. */
const keptBytes = 32 * 1024 * 1024

/** The files that projects deploy, read from the VFS when an applet opens them. The ones unused longest are let go. */
export class AssetFiles {
  readonly #vfs: Pick<Vfs, 'getSync'>
  readonly #bytes = new LRUCache<string, Uint8Array>({
    maxSize: keptBytes,
    sizeCalculation: (bytes) => bytes.length + 1,
  })
  readonly #records = new WeakMap<readonly Asset[], FileRecords>()

  constructor(vfs: Pick<Vfs, 'getSync'>) {
    this.#vfs = vfs
  }

  /** Reading a file throws VfsError when its bytes are gone or altered. */
  of(assets: readonly Asset[]): FileRecords {
    let records = this.#records.get(assets)
    if (!records) {
      records = fixedRecords(assets.map(({ path, hash, size }) => ({ path, size, read: () => this.#read(hash) })))
      this.#records.set(assets, records)
    }
    return records
  }

  #read(hash: string): Uint8Array {
    let bytes = this.#bytes.get(hash)
    if (!bytes) {
      bytes = this.#vfs.getSync(hash)
      this.#bytes.set(hash, bytes)
    }
    return bytes
  }
}

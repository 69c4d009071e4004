import type { ProjectKey } from '@w3bstream/protocol'
import { LRUCache } from 'lru-cache'
import type { BlockingFamily, Engine, LoadedModule, PreparedModule } from '../engine/engine.ts'
import { decodePrepared, preparedName } from '../engine/prepared-file.ts'
import type { Vfs } from '../vfs/vfs.ts'
import { AssetFiles } from './asset-files.ts'

/** Where modules lie. */
type ModuleShelf = Pick<Vfs, 'getSync' | 'getDerivedSync'>

/**
 * The applets that a thread holds in memory. Preparation is shared by all projects with the same code; an instance belongs to
 * one project, so that a guest that waits does not hold up another's. The one unused longest is let go.
 */
export class LiveModules {
  /** The files that the applets of these modules read. */
  readonly assets: AssetFiles
  readonly #engine: Engine
  readonly #vfs: ModuleShelf
  readonly #blocking: ReadonlySet<BlockingFamily>
  readonly #prepared: LRUCache<string, PreparedModule>
  readonly #loaded: LRUCache<string, LoadedModule>

  constructor(
    engine: Engine,
    vfs: ModuleShelf,
    options: { liveModules: number; blocking: ReadonlySet<BlockingFamily> },
  ) {
    this.#engine = engine
    this.#vfs = vfs
    this.assets = new AssetFiles(vfs)
    this.#blocking = options.blocking
    this.#prepared = new LRUCache({ max: options.liveModules })
    this.#loaded = new LRUCache({ max: options.liveModules, dispose: (module) => module.evict() })
  }

  /** @throws VfsError when the module's bytes are gone or altered, EngineError when they are no module */
  get(project: ProjectKey, codeHash: string): LoadedModule {
    const key = `${project}/${codeHash}`
    let module = this.#loaded.get(key)
    if (!module) {
      module = this.#engine.load(this.#prepare(codeHash), {
        mayBlock: this.#blocking,
        original: () => this.#vfs.getSync(codeHash),
      })
      this.#loaded.set(key, module)
    }
    return module
  }

  /** Lets go of a project's instances. */
  release(project: ProjectKey): void {
    for (const key of [...this.#loaded.keys()]) if (key.startsWith(`${project}/`)) this.#loaded.delete(key)
  }

  #prepare(codeHash: string): PreparedModule {
    let prepared = this.#prepared.get(codeHash)
    if (!prepared) {
      const kept = this.#vfs.getDerivedSync(codeHash, preparedName)
      // Another version of the node, or a crash, may have left none: then it is made again, for this thread.
      prepared = kept ? decodePrepared(kept) : this.#engine.prepare(this.#vfs.getSync(codeHash))
      this.#prepared.set(codeHash, prepared)
    }
    return prepared
  }
}

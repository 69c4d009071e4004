import { dirname } from 'node:path'
import type { AppletSdkError } from '@w3bstream/applet-sdk/tool'
import { buildApplet, rootSourceMap } from '../applet-tool.ts'
import type { CliIo } from '../io.ts'
import { type MakeModule, moduleMaker } from '../source-maps/compile.ts'
import { rememberMap } from '../source-maps/map-store.ts'

interface Made {
  /** Undefined: it did not compile. */
  readonly wasm: Uint8Array | undefined
  /** Files that the module was made of. */
  readonly sources: ReadonlySet<string>
}

/** Modules that were made, until a file changes that they were made of. */
export class ModuleCache {
  readonly #io: Pick<CliIo, 'env'>
  readonly #made = new Map<string, Made>()
  /** Time that compilers took since {@link takeCompileMs}, milliseconds. */
  #compileMs = 0

  constructor(io: Pick<CliIo, 'env'>) {
    this.#io = io
  }

  readonly make: MakeModule = async (path, isSource) => {
    const known = this.#made.get(path)?.wasm
    if (known) return known
    const made = isSource ? await this.#compile(path) : await this.#read(path)
    this.#made.set(path, made)
    return made.wasm!
  }

  /** Forgets what was made of one of these files. @returns whether there was any */
  forget(files: ReadonlySet<string>): boolean {
    const stale = [...this.#made].filter(([, { sources }]) => !sources.isDisjointFrom(files))
    // What did not compile may lack a file that has come now.
    const failed = [...this.#made].filter(([, { wasm }]) => wasm === undefined)
    for (const [path] of [...stale, ...failed]) this.#made.delete(path)
    return stale.length > 0 || failed.length > 0
  }

  /** Directories of all files that modules were made of. */
  get directories(): ReadonlySet<string> {
    return new Set([...this.#made.values()].flatMap(({ sources }) => [...sources].map((file) => dirname(file))))
  }

  takeCompileMs(): number {
    const spent = this.#compileMs
    this.#compileMs = 0
    return spent
  }

  async #compile(path: string): Promise<Made> {
    const began = performance.now()
    try {
      const { wasm, sources, sourceMap, directory } = await buildApplet(path)
      await rememberMap(this.#io.env, await rootSourceMap(sourceMap, directory))
      return { wasm, sources: new Set(sources) }
    } catch (error) {
      const { compiler } = error as Partial<AppletSdkError>
      this.#made.set(path, { wasm: undefined, sources: new Set(compiler?.sources ?? [path]) })
      throw error
    } finally {
      this.#compileMs += performance.now() - began
    }
  }

  async #read(path: string): Promise<Made> {
    return { wasm: await moduleMaker(this.#io)(path, false), sources: new Set([path]) }
  }
}

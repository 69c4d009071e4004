import { dirname, join } from 'node:path'
import type { AppletSdkError } from '@w3bstream/applet-sdk/tool'
import { buildApplet, rootSourceMap } from '../applet-tool.ts'
import type { CliIo } from '../io.ts'
import { type MakeModule, moduleMaker } from '../source-maps/compile.ts'
import { rememberMap } from '../source-maps/map-store.ts'
import { areAsBefore, type Digests, digestsOf } from './inputs.ts'

interface Made {
  /** Undefined: it did not compile. */
  readonly wasm: Uint8Array | undefined
  /** Files that the module was made of, as they were when it was made. */
  readonly sources: Digests
}

/** Modules that were made, until a file has other content than what they were made of. */
export class ModuleCache {
  readonly #io: Pick<CliIo, 'env'>
  readonly #made = new Map<string, Made>()
  /** What was read since {@link takeRead}. */
  #read = new Map<string, string | null>()
  /** Time that compilers took since {@link takeCompileMs}, milliseconds. */
  #compileMs = 0

  constructor(io: Pick<CliIo, 'env'>) {
    this.#io = io
  }

  readonly make: MakeModule = async (path, isSource) => {
    const known = this.#made.get(path)
    if (known?.wasm && (await areAsBefore(known.sources))) return known.wasm
    return isSource ? this.#compile(path) : this.#load(path)
  }

  /** What modules were made of, also those that could not be made. */
  get sources(): Digests {
    return new Map([...this.#made.values()].flatMap(({ sources }) => [...sources]))
  }

  /** Directories of all files that modules were made of. */
  get directories(): ReadonlySet<string> {
    return new Set([...this.sources.keys()].map((file) => dirname(file)))
  }

  /** What modules were made of since the last call, also those that could not be made. */
  takeRead(): Digests {
    const read = this.#read
    this.#read = new Map()
    return read
  }

  takeCompileMs(): number {
    const spent = this.#compileMs
    this.#compileMs = 0
    return spent
  }

  async #compile(path: string): Promise<Uint8Array> {
    const began = performance.now()
    // What the compiler cannot begin with may lack one of these.
    const entries = await digestsOf([path, join(path, 'assembly'), join(path, 'assembly', 'index.ts')])
    try {
      const { wasm, sources, sourceMap, directory } = await buildApplet(path)
      this.#keep(path, { wasm, sources })
      await rememberMap(this.#io.env, await rootSourceMap(sourceMap, directory))
      return wasm
    } catch (error) {
      const { compiler } = error as Partial<AppletSdkError>
      this.#keep(path, { wasm: undefined, sources: compiler?.sources ?? entries })
      throw error
    } finally {
      this.#compileMs += performance.now() - began
    }
  }

  async #load(path: string): Promise<Uint8Array> {
    // Taken before the reading: what is saved between them is seen as a change.
    const sources = await digestsOf([path, `${path}.map`])
    this.#keep(path, { wasm: undefined, sources })
    const wasm = await moduleMaker(this.#io)(path, false)
    this.#keep(path, { wasm, sources })
    return wasm
  }

  #keep(path: string, made: Made): void {
    this.#made.set(path, made)
    for (const [file, digest] of made.sources) this.#read.set(file, digest)
  }
}

import { dirname, resolve } from 'node:path'
import { buildApplet, rootSourceMap } from '../applet-tool.ts'
import type { CliIo } from '../io.ts'
import { readBinary } from '../load-module.ts'
import { readMap, rememberMap } from './map-store.ts'

/** Makes the module of a path: a folder with an applet or a source file is compiled, anything else read as it is. */
export type MakeModule = (path: string, isSource: boolean) => Promise<Uint8Array>

/**
 * Compiles AssemblyScript, and reads modules that were built already. Their source maps are remembered, that of a file when it
 * lies beside it as `FILE.map`.
 * @throws CliError CLI_FILE; AppletSdkError
 */
export function moduleMaker({ env }: Pick<CliIo, 'env'>): MakeModule {
  return async (path, isSource) => {
    if (!isSource) {
      const wasm = await readBinary(path)
      const map = await readMap(`${path}.map`)
      if (map) await rememberMap(env, await rootSourceMap(map, resolve(dirname(path), map.sourceRoot ?? '.')))
      return wasm
    }
    const { wasm, sourceMap, directory } = await buildApplet(path)
    await rememberMap(env, await rootSourceMap(sourceMap, directory))
    return wasm
  }
}

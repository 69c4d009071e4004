import type { SourceMap, SourceMapFile } from '@w3bstream/applet-sdk/tool'
import { openSourceMap } from '../applet-tool.ts'
import { displayPath } from '../display-path.ts'
import type { CliIo } from '../io.ts'
import { recallMap } from './map-store.ts'

/** A frame as the node's log has it: `    at NAME @ 0x1f3`, where NAME is `function 12` in modules without names. */
const frameLine = /^( +at )(?:function (\d+)|(.+?)) @ 0x([0-9a-f]{1,8})$/

/** The module that a failure in the log names. */
const moduleName = /\bmodule ([0-9a-f]{12})\)/

/** Maps that are held open at once: those of the versions that run. */
const maxOpen = 32

/** Puts lines of the source into what the node says of traps, where the map of the module is known on this machine. */
export class Traces {
  readonly #io: Pick<CliIo, 'env' | 'cwd'>
  readonly #given: readonly SourceMapFile[]
  readonly #open = new Map<string, Promise<SourceMap | undefined>>()

  /** @param given maps besides those that are remembered */
  constructor(io: Pick<CliIo, 'env' | 'cwd'>, given: readonly SourceMapFile[] = []) {
    this.#io = io
    this.#given = given
  }

  /** A line of the log, with its frames as far as they are known. */
  async resolve(message: string): Promise<string> {
    const [, codeHash] = moduleName.exec(message) ?? []
    if (codeHash === undefined || !message.includes('\n')) return message
    const map = await this.#mapOf(codeHash)
    if (!map) return message
    const { frameText } = await import('@w3bstream/applet-sdk/tool')
    const lines = message.split('\n').map((line) => {
      const [, indent, index, name, offset = ''] = frameLine.exec(line) ?? []
      if (indent === undefined) return line
      const place = {
        offset: Number.parseInt(offset, 16),
        ...(index && { function: Number(index) }),
        ...(name && { name }),
      }
      return indent + frameText(place, map.placeOf(place), (file) => displayPath(this.#io.cwd, file))
    })
    return lines.join('\n')
  }

  #mapOf(codeHash: string): Promise<SourceMap | undefined> {
    let map = this.#open.get(codeHash)
    if (map === undefined) {
      map = this.#read(codeHash)
      this.#open.set(codeHash, map)
      for (const oldest of this.#open.keys()) {
        if (this.#open.size <= maxOpen) break
        this.#open.delete(oldest)
      }
    }
    return map
  }

  async #read(codeHash: string): Promise<SourceMap | undefined> {
    const given = this.#given.find(({ x_codeHash }) => x_codeHash.startsWith(codeHash))
    const file = given ?? (await recallMap(this.#io.env, codeHash))
    if (!file) {
      // It may be built later, while this goes on.
      this.#open.delete(codeHash)
      return undefined
    }
    return openSourceMap(file).catch(() => undefined)
  }
}

import { LRUCache } from 'lru-cache'
import type { GuestFrame } from '../engine.ts'
import { framesOf } from '../host/trap.ts'
import { readFunctionNames } from '../module/function-names.ts'
import { originalOffsets } from '../module/offsets.ts'

interface Places {
  readonly names: ReadonlyMap<number, string>
  /** From an offset in the prepared file to one in the original. */
  originalOffset(preparedOffset: number): number | undefined
}

/** Modules whose places are remembered: making them takes as long as preparing the module did. */
const rememberedModules = 16

/** Tells where a guest was when it trapped, in terms of the module as it was uploaded. */
export class GuestTraces {
  readonly #places = new LRUCache<string, Places>({ max: rememberedModules })

  /**
   * @param module.original gives the bytes as uploaded
   * @param module.shiftBytes by how much the code that runs lies behind that of the prepared file
   * @returns frames, innermost first, without those of functions that the rewriter added
   */
  of(error: Error, module: { codeHash: string; shiftBytes: number; original: () => Uint8Array }): GuestFrame[] {
    const { names, originalOffset } = this.#placesOf(module)
    return framesOf(error).flatMap(({ function: index, offset }) => {
      const original = originalOffset(offset - module.shiftBytes)
      if (original === undefined) return []
      const name = names.get(index)
      return [{ function: index, offset: original, ...(name !== undefined && { name }) }]
    })
  }

  #placesOf({ codeHash, original }: { codeHash: string; original: () => Uint8Array }): Places {
    let places = this.#places.get(codeHash)
    if (places === undefined) {
      const bytes = original()
      places = { names: readFunctionNames(bytes), originalOffset: originalOffsets(bytes) }
      this.#places.set(codeHash, places)
    }
    return places
  }
}

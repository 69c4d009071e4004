import { limits, u32, vector } from './byte-writer.ts'
import { type ModuleLayout, sectionIds } from './layout.ts'

/**
 * Sets the maximum of a prepared module's memory. This is done when a module is loaded, not when it is prepared, because
 * the limit belongs to the project and the prepared bytes to the module alone.
 * @param pages not below the memory's minimum
 */
export function capMemory({ bytes, sections, memories }: ModuleLayout, pages: number): Uint8Array {
  const { header, end } = sections.get(sectionIds.memory)!
  const content = vector([limits(memories[0]!.min, pages)])
  return Buffer.concat([
    bytes.subarray(0, header),
    Uint8Array.from([sectionIds.memory, ...u32(content.length), ...content]),
    bytes.subarray(end),
  ])
}

import { ByteReader } from './byte-reader.ts'

const customSection = 0
const functionNames = 1
const headerBytes = 8

/**
 * Names of a module's functions by their index, from its name section (core specification, appendix A.4.1). Empty when it
 * has none, or one that is broken: validation does not look into custom sections.
 */
export function readFunctionNames(module: Uint8Array): ReadonlyMap<number, string> {
  try {
    const section = findNameSection(module)
    return section === undefined ? new Map() : readNames(section)
  } catch {
    return new Map()
  }
}

function findNameSection(module: Uint8Array): ByteReader | undefined {
  const reader = new ByteReader(module, headerBytes)
  while (!reader.done) {
    const id = reader.u8()
    const size = reader.u32()
    const section = new ByteReader(module, reader.at, reader.at + size)
    reader.skip(size)
    if (id === customSection && section.name() === 'name') return section
  }
  return undefined
}

function readNames(section: ByteReader): ReadonlyMap<number, string> {
  while (!section.done) {
    const id = section.u8()
    const size = section.u32()
    if (id === functionNames) return new Map(section.vector(() => [section.u32(), section.name()] as const))
    section.skip(size)
  }
  return new Map()
}

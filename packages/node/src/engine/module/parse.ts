import { ByteReader, malformed } from './byte-reader.ts'
import { InstructionReader, opcodes } from './instructions.ts'
import {
  type ExternalKind,
  exportKinds,
  type FunctionType,
  type Limits,
  type ModuleLayout,
  sectionIds,
  type ValueType,
  valueTypes,
} from './layout.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/**
 * Decodes the sections of a module that `WebAssembly.validate` accepted.
 * @throws EngineError MODULE_INVALID for what is broken, or valid but outside the feature set of the engine
 */
export function parseModule(bytes: Uint8Array): ModuleLayout {
  const sections = locateSections(bytes)
  const read = <T>(id: number, decode: (reader: ByteReader) => T, missing: T): T => {
    const section = sections.get(id)
    return section === undefined ? missing : decode(new ByteReader(bytes, section.start, section.end))
  }
  const imports = read(sectionIds.import, (r) => r.vector(() => importEntry(r)), [])
  const imported = imports.filter(({ kind }) => kind === 'function').map(({ typeIndex }) => typeIndex)
  return {
    bytes,
    sections,
    types: read(sectionIds.type, (r) => r.vector(() => functionType(r)), []),
    imports,
    importedFunctions: imported.length,
    functions: imported.concat(read(sectionIds.function, (r) => r.vector(() => r.u32()), [])),
    tables: read(sectionIds.table, (r) => r.vector(() => tableType(r)), []),
    memories: read(sectionIds.memory, (r) => r.vector(() => memoryLimits(r)), []),
    globals: read(sectionIds.global, (r) => r.vector(() => globalEntry(r)), []),
    exports: read(sectionIds.export, (r) => r.vector(() => exportEntry(r)), []),
    start: read(sectionIds.start, (r) => r.u32(), undefined),
    bodies: read(sectionIds.code, (r) => r.vector(() => body(r)), []),
  }
}

function locateSections(bytes: Uint8Array): ModuleLayout['sections'] {
  const reader = new ByteReader(bytes)
  for (const wanted of [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0])
    if (reader.u8() !== wanted) throw malformed('not a WebAssembly module of version 1')
  const sections = new Map<number, { header: number; start: number; end: number }>()
  while (!reader.done) {
    const header = reader.at
    const id = reader.u8()
    const size = reader.u32()
    const start = reader.at
    reader.skip(size)
    if (id === sectionIds.custom) continue
    if (id > sectionIds.dataCount) throw malformed(`section ${id} (exception handling?) is not supported`)
    if (sections.has(id)) throw malformed(`section ${id} occurs twice`)
    sections.set(id, { header, start, end: reader.at })
  }
  return sections
}

function valueType(reader: ByteReader): ValueType {
  const code = reader.u8()
  const type = valueTypes.get(code)
  if (type === undefined) throw malformed(`value type 0x${code.toString(16)} at byte ${reader.at - 1} is not supported`)
  return type
}

function functionType(reader: ByteReader): FunctionType {
  if (reader.u8() !== 0x60)
    throw malformed(`type at byte ${reader.at - 1} is no function type; others are not supported`)
  return { params: reader.vector(() => valueType(reader)), results: reader.vector(() => valueType(reader)) }
}

function tableType(reader: ByteReader): Limits & { type: ValueType } {
  const type = valueType(reader)
  return { type, ...limits(reader) }
}

function memoryLimits(reader: ByteReader): Limits {
  return limits(reader)
}

function limits(reader: ByteReader): Limits {
  const flags = reader.u8()
  if (flags > 1) throw malformed(`shared or 64-bit memories and tables are not supported (byte ${reader.at - 1})`)
  const found: Mutable<Limits> = { min: reader.u32() }
  if (flags === 1) found.max = reader.u32()
  return found
}

function globalType(reader: ByteReader): { type: ValueType; mutable: boolean } {
  return { type: valueType(reader), mutable: reader.u8() === 1 }
}

function globalEntry(reader: ByteReader): { type: ValueType; mutable: boolean } {
  const type = globalType(reader)
  const code = new InstructionReader(reader.bytes, reader.at)
  do code.next()
  while (code.opcode !== opcodes.end)
  reader.skip(code.at - reader.at)
  return type
}

function importEntry(reader: ByteReader): ModuleLayout['imports'][number] {
  const module = reader.name()
  const name = reader.name()
  const kind = externalKind(reader)
  let typeIndex = -1
  if (kind === 'function') typeIndex = reader.u32()
  else if (kind === 'table') tableType(reader)
  else if (kind === 'memory') memoryLimits(reader)
  else globalType(reader)
  return { module, name, kind, typeIndex }
}

function exportEntry(reader: ByteReader): ModuleLayout['exports'][number] {
  return { name: reader.name(), kind: externalKind(reader), index: reader.u32() }
}

function externalKind(reader: ByteReader): ExternalKind {
  const kind = exportKinds[reader.u8()]
  if (kind === undefined) throw malformed(`tags (exception handling) are not supported (byte ${reader.at - 1})`)
  return kind
}

function body(reader: ByteReader): { start: number; end: number } {
  const size = reader.u32()
  const start = reader.at
  reader.skip(size)
  return { start, end: reader.at }
}

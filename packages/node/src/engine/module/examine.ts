import type { HostFunction } from '../host/host-function.ts'
import { moduleCeilings } from '../limits.ts'
import { type FunctionType, type ModuleLayout, sameType, showType } from './layout.ts'
import { reservedPrefix } from './prepared-format.ts'

type HostTable = ReadonlyMap<string, readonly HostFunction[]>

const handlerType: FunctionType = { params: ['i32'], results: ['i32'] }
const reducerType: FunctionType = { params: ['i32', 'i32'], results: ['i32'] }

/** Exports of the published kits and of compilers that look like handlers. */
const notHandlers: ReadonlySet<string> = new Set(['alloc', 'malloc', '__pin'])

/** Exported functions that strategies may name. */
export function findHandlers(layout: ModuleLayout): string[] {
  return layout.exports
    .filter(({ name, kind, index }) => kind === 'function' && !notHandlers.has(name) && isHandler(layout, index))
    .map(({ name }) => name)
}

/** Exported functions that the REDUCE operators of flows may name. */
export function findReducers(layout: ModuleLayout): string[] {
  return layout.exports
    .filter(({ kind, index }) => kind === 'function' && sameType(functionType(layout, index), reducerType))
    .map(({ name }) => name)
}

function isHandler(layout: ModuleLayout, index: number): boolean {
  return sameType(functionType(layout, index), handlerType)
}

function functionType(layout: ModuleLayout, index: number): FunctionType {
  return layout.types[layout.functions[index]!]!
}

/** The signature in which a module imports a host function, if it is one of those on offer. */
export function findVariant(
  table: HostTable,
  { module, name }: { module: string; name: string },
  type: FunctionType,
): HostFunction | undefined {
  return table.get(`${module}.${name}`)?.find((variant) => sameType(variant.type, type))
}

/** @returns what keeps a module from being deployed, all at once; the texts say what would be right */
export function examine(layout: ModuleLayout, table: HostTable): string[] {
  return [
    ...examineMemory(layout),
    ...layout.imports.flatMap((entry) => examineImport(layout, entry, table)),
    ...examineTwins(layout),
    ...examineExports(layout),
    ...examineAlloc(layout, table),
    ...examineTables(layout),
  ]
}

function examineMemory({ imports, memories, exports }: ModuleLayout): string[] {
  if (imports.some(({ kind }) => kind === 'memory')) return ['the memory is imported; it must be defined by the module']
  if (memories.length !== 1) return [`the module defines ${memories.length} memories; it must define one`]
  const exported = exports.find(({ name }) => name === 'memory')
  return exported?.kind === 'memory' ? [] : ['the memory is not exported under the name "memory"']
}

function examineImport(layout: ModuleLayout, entry: ModuleLayout['imports'][number], table: HostTable): string[] {
  const { module, name, kind, typeIndex } = entry
  if (kind === 'memory') return []
  const label = `import ${module}.${name}`
  if (kind !== 'function') return [`${label} is a ${kind}; only functions can be imported`]
  const type = layout.types[typeIndex]!
  const variants = table.get(`${module}.${name}`)
  if (variants === undefined) return module === 'env' ? [] : [`${label} is unknown`]
  if (findVariant(table, entry, type) !== undefined) return []
  return [`${label} has type ${showType(type)}, wanted ${variants.map((v) => showType(v.type)).join(' or ')}`]
}

/** Linking is by name, so one name cannot mean two functions. */
function examineTwins({ imports, types }: ModuleLayout): string[] {
  const seen = new Map<string, string>()
  return imports.flatMap(({ module, name, kind, typeIndex }) => {
    if (kind !== 'function') return []
    const key = JSON.stringify([module, name])
    const type = showType(types[typeIndex]!)
    const first = seen.get(key) ?? type
    seen.set(key, first)
    return first === type ? [] : [`import ${module}.${name} occurs with two types`]
  })
}

function examineExports(layout: ModuleLayout): string[] {
  const problems: string[] = []
  if (layout.exports.length > moduleCeilings.exports)
    problems.push(`${layout.exports.length} exports are more than ${moduleCeilings.exports}`)
  if (layout.exports.some(({ name }) => name.startsWith(reservedPrefix)))
    problems.push(`export names that begin with "${reservedPrefix}" are reserved`)
  if (findHandlers(layout).length === 0)
    problems.push(`no handler: export at least one function ${showType(handlerType)}`)
  const initialize = layout.exports.find(({ name, kind }) => name === '_initialize' && kind === 'function')
  if (initialize !== undefined && !sameType(functionType(layout, initialize.index), { params: [], results: [] }))
    problems.push('export _initialize must take and return nothing')
  const mutable = layout.globals.filter((global) => global.mutable).length
  if (mutable > moduleCeilings.mutableGlobals)
    problems.push(`${mutable} mutable globals are more than ${moduleCeilings.mutableGlobals}`)
  return problems
}

function examineAlloc(layout: ModuleLayout, table: HostTable): string[] {
  const alloc = layout.exports.find(({ name }) => name === 'alloc')
  if (alloc !== undefined) {
    const right = alloc.kind === 'function' && isHandler(layout, alloc.index)
    return right ? [] : [`export alloc must be a function ${showType(handlerType)}`]
  }
  const needing = layout.imports.filter(
    (entry) => entry.kind === 'function' && findVariant(table, entry, layout.types[entry.typeIndex]!)?.handsOver,
  )
  if (needing.length === 0) return []
  return [
    `export alloc ${showType(handlerType)} is missing; ${needing.map(({ name }) => name).join(', ')} hand over data`,
  ]
}

function examineTables({ tables }: ModuleLayout): string[] {
  const problems: string[] = []
  if (tables.length > moduleCeilings.tables)
    problems.push(`${tables.length} tables are more than ${moduleCeilings.tables}`)
  const entries = tables.reduce((sum, { min }) => sum + min, 0)
  if (entries > moduleCeilings.tableEntries)
    problems.push(`tables of ${entries} entries together are larger than ${moduleCeilings.tableEntries}`)
  return problems
}

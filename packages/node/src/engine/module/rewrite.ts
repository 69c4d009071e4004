import { moduleCeilings } from '../limits.ts'
import { s32, u32 } from './byte-writer.ts'
import { opcodes } from './instructions.ts'
import type { ModuleLayout, ValueType } from './layout.ts'
import { ModulePatch } from './module-patch.ts'
import { encodeResetPlan, reserved } from './prepared-format.ts'
import type { CodeScan } from './traits.ts'

const plainTypes: readonly ValueType[] = ['i32', 'i64', 'f32', 'f64']

/**
 * Writes the module that is run: the original whose state can be read and set back from outside. The result depends on the
 * original and {@link engineVersion} only.
 *
 * - The start section becomes an exported function, so that host functions called by it can reach the memory.
 * - Mutable globals are exported; tables too when the code can change them.
 * - Tables that can grow get a ceiling. The memory's maximum depends on the project and is set by {@link capMemory}.
 * - `memory.size` and `memory.grow` go through {@link virtualiseMemory}.
 */
export function rewriteModule(layout: ModuleLayout, scan: CodeScan): Uint8Array {
  const patch = new ModulePatch(layout)
  let fresh = scan.traits.dropsSegments
  if (layout.start !== undefined) {
    patch.addExport(reserved.start, 'function', layout.start)
    patch.removeStart()
  }
  layout.globals.forEach(({ type, mutable }, index) => {
    if (!mutable) return
    if (plainTypes.includes(type)) patch.addExport(reserved.global(index), 'global', index)
    else fresh = true
  })
  if (scan.traits.changesTables)
    layout.tables.forEach((_, index) => {
      patch.addExport(reserved.table(index), 'table', index)
    })
  if (scan.traits.growsTables) patch.setTables(layout.tables.map(cappedTable))
  const { measuresMemory } = scan.traits
  if (measuresMemory) virtualiseMemory(layout, scan, patch)
  const plan = encodeResetPlan({ fresh, measuresMemory })
  patch.addCustomSection(plan.name, plan.content)
  return patch.build()
}

function cappedTable<T extends { min: number; max?: number }>(table: T): T {
  return { ...table, max: Math.min(table.max ?? moduleCeilings.tableEntries, moduleCeilings.tableEntries) }
}

/**
 * Gives the guest its own idea of how large its memory is. A WebAssembly memory cannot shrink; so an instance that is used
 * again would answer `memory.size` and `memory.grow` differently from a new one, and replicas with other histories would
 * disagree. The count of pages becomes a global, which is reset like the others; the real memory is somewhat larger from
 * the beginning, and when a call outgrows even that, the instance is thrown away after the call.
 *
 * ```
 * grow(n):  old = pages; new = old + n
 *           if new < old → refuse
 *           if new > memory.size and memory.grow(new − memory.size) = −1 → refuse
 *           pages = new; return old
 * refuse:   refused = 1; return −1
 * ```
 */
function virtualiseMemory(layout: ModuleLayout, scan: CodeScan, patch: ModulePatch): void {
  const pages = patch.addGlobal('i32', [0x41, ...s32(layout.memories[0]!.min)])
  const refused = patch.addGlobal('i32', [0x41, 0])
  patch.addExport(reserved.pages, 'global', pages)
  patch.addExport(reserved.refused, 'global', refused)
  const type = patch.addType({ params: ['i32'], results: ['i32'] })
  const grow = patch.addFunction(type, growBody(pages, refused))
  for (const { opcode, start, end } of scan.memorySites) {
    const instead = opcode === opcodes.memoryGrow ? [opcodes.call, ...u32(grow)] : [opcodes.globalGet, ...u32(pages)]
    patch.edit(start, end, instead)
  }
}

function growBody(pages: number, refused: number): number[] {
  const delta = 0
  const wanted = 1
  const get = (local: number) => [opcodes.localGet, local]
  const getPages = [opcodes.globalGet, ...u32(pages)]
  const size = [opcodes.memorySize, 0]
  const [i32Const, eq, ltU, gtU, add, sub] = [0x41, 0x46, 0x49, 0x4b, 0x6a, 0x6b] as const
  const [empty, brIf, return_, localTee] = [0x40, 0x0d, 0x0f, 0x22] as const
  // One group of one local of type i32: the size wanted.
  return [1, 1, 0x7f].concat(
    [opcodes.block, empty],
    [...getPages, ...get(delta), add, localTee, wanted, ...getPages, ltU, brIf, 0],
    [...get(wanted), ...size, gtU, opcodes.if, empty],
    [...get(wanted), ...size, sub, opcodes.memoryGrow, 0, i32Const, 0x7f, eq, brIf, 1],
    [opcodes.end],
    [...getPages, ...get(wanted), opcodes.globalSet, ...u32(pages), return_],
    [opcodes.end],
    [i32Const, 1, opcodes.globalSet, ...u32(refused), i32Const, 0x7f, opcodes.end],
  )
}

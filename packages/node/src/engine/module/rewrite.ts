import { moduleCeilings } from '../limits.ts'
import { BodyPlanner } from './body-plan.ts'
import { type BodySurvey, ModuleSurvey, surveyBody } from './body-survey.ts'
import { BodyWriter, type Positions } from './body-writer.ts'
import { ByteSink } from './byte-sink.ts'
import { s32 } from './byte-writer.ts'
import { op } from './code.ts'
import { bulkMemoryBody, bulkTableBody, chargeBody, growMemoryBody, growTableBody } from './helpers.ts'
import { opcodes } from './instructions.ts'
import type { FunctionType, ModuleLayout, ValueType } from './layout.ts'
import type { ModuleFacts } from './module-facts.ts'
import { ModulePatch } from './module-patch.ts'
import { encodeResetPlan, reserved } from './prepared-format.ts'

const plainTypes: readonly ValueType[] = ['i32', 'i64', 'f32', 'f64']

/** What is woven into the code; production does all of it, benchmarks leave parts out to learn what they cost. */
export interface RewriteFeatures {
  /** Counts fuel and stack. */
  readonly metered: boolean
  readonly canonicalNans: boolean
}

export const allFeatures: RewriteFeatures = { metered: true, canonicalNans: true }

/**
 * Writes the module that is run: the original whose state can be read and set back from outside, which counts what it takes
 * and computes the same on every machine. The result depends on the original and the engine's version only.
 *
 * - The start section becomes an exported function, so that host functions called by it can reach the memory.
 * - Mutable globals are exported; tables too when the code can change them.
 * - Tables that can grow get a ceiling. The memory's maximum depends on the project and is set by `capMemory`.
 * - `memory.size` and `memory.grow` go through a count of pages of the rewriter's own. A WebAssembly memory cannot shrink; so
 *   an instance that is used again would answer them differently from a new one, and replicas with other histories would
 *   disagree. The count is a global, which is reset like the others; the real memory is somewhat larger from the beginning,
 *   and when a call outgrows even that, the instance is thrown away after the call.
 * - Fuel and stack are counted, NaNs made canonical where they are seen: see `docs/spec/fuel.md`.
 *
 * @param positions is filled with the positions of each function, for {@link originalOffsets}
 * @throws EngineError MODULE_INVALID for unsupported instructions
 */
export function rewriteModule(
  layout: ModuleLayout,
  features: RewriteFeatures = allFeatures,
  positions?: Positions[],
): Uint8Array {
  const module = new ModuleSurvey()
  const surveys = layout.bodies.map((body) => surveyBody(layout.bytes, body, module))
  const patch = new ModulePatch(layout)
  const fresh = exportState(layout, module, patch)
  const facts = addParts(layout, module, features, patch)
  patch.setCode(rewriteBodies(facts, surveys, positions))
  const plan = encodeResetPlan({ fresh, measuresMemory: facts.globals.pages >= 0 })
  patch.addCustomSection(plan.name, plan.content)
  return patch.build()
}

/** @returns whether an instance cannot be brought back */
function exportState(layout: ModuleLayout, module: ModuleSurvey, patch: ModulePatch): boolean {
  let fresh = module.uses(opcodes.dataDrop, opcodes.elemDrop)
  if (layout.start !== undefined) {
    patch.addExport(reserved.start, 'function', layout.start)
    patch.removeStart()
  }
  layout.globals.forEach(({ type, mutable }, index) => {
    if (!mutable) return
    if (plainTypes.includes(type)) patch.addExport(reserved.global(index), 'global', index)
    else fresh = true
  })
  const { tableSet, tableInit, tableCopy, tableGrow, tableFill } = opcodes
  if (module.uses(tableSet, tableInit, tableCopy, tableGrow, tableFill))
    layout.tables.forEach((_, index) => {
      patch.addExport(reserved.table(index), 'table', index)
    })
  if (module.uses(tableGrow)) patch.setTables(layout.tables.map(cappedTable))
  return fresh
}

function cappedTable<T extends { min: number; max?: number }>(table: T): T {
  return { ...table, max: Math.min(table.max ?? moduleCeilings.tableEntries, moduleCeilings.tableEntries) }
}

function addParts(
  layout: ModuleLayout,
  module: ModuleSurvey,
  features: RewriteFeatures,
  patch: ModulePatch,
): ModuleFacts {
  const { metered, canonicalNans } = features
  const fuel = addCounter(patch, 'i64', reserved.fuel)
  const stack = addCounter(patch, 'i32', reserved.stack)
  const stopped = addCounter(patch, 'i32', reserved.stopped)
  const counters = metered ? { fuel, stopped } : undefined
  const charge = patch.addFunction(patch.addType({ params: ['i32'], results: [] }), chargeBody({ fuel, stopped }))
  patch.addExport(reserved.charge, 'function', charge)
  const grows = module.uses(opcodes.memorySize, opcodes.memoryGrow)
  const pages = grows ? addCounter(patch, 'i32', reserved.pages, layout.memories[0]!.min) : -1
  const typeIndex = new Map<string, number>()
  const typeOf = (type: FunctionType) => {
    const key = JSON.stringify(type)
    const index = typeIndex.get(key) ?? patch.addType(type)
    typeIndex.set(key, index)
    return index
  }
  const unary = { params: ['i32'], results: ['i32'] } as const
  const add = (type: FunctionType, body: readonly number[]) => patch.addFunction(typeOf(type), body)
  return {
    layout,
    metered,
    canonicalNans,
    globals: { fuel, stack, stopped, pages },
    helpers: {
      bulkMemory: module.uses(opcodes.memoryFill, opcodes.memoryCopy, opcodes.memoryInit)
        ? add(unary, bulkMemoryBody(counters))
        : -1,
      bulkTable: module.uses(opcodes.tableFill, opcodes.tableCopy, opcodes.tableInit)
        ? add(unary, bulkTableBody(counters))
        : -1,
      growMemory: grows ? add(unary, growMemoryBody(counters, pages, addCounter(patch, 'i32', reserved.refused))) : -1,
      growTable: addTableHelpers(layout, module, patch, (type, body) => add(type, body), counters),
    },
    resultsType: ({ results }) => typeOf({ params: [], results }),
  }
}

function addTableHelpers(
  layout: ModuleLayout,
  module: ModuleSurvey,
  patch: ModulePatch,
  add: (type: FunctionType, body: readonly number[]) => number,
  counters: { fuel: number; stopped: number } | undefined,
): (number | undefined)[] {
  const limit = addCounter(patch, 'i32', reserved.tableEntries, moduleCeilings.tableEntries)
  const refused = addCounter(patch, 'i32', reserved.tableRefused)
  if (!module.uses(opcodes.tableGrow)) return []
  return layout.tables.map(({ type }, table) =>
    add({ params: [type, 'i32'], results: ['i32'] }, growTableBody(counters, table, { limit, refused })),
  )
}

function addCounter(patch: ModulePatch, type: 'i32' | 'i64', exportName: string, initial = 0): number {
  const index = patch.addGlobal(type, [type === 'i32' ? op.i32Const : op.i64Const, ...s32(initial)])
  patch.addExport(exportName, 'global', index)
  return index
}

function rewriteBodies(
  facts: ModuleFacts,
  surveys: readonly BodySurvey[],
  positions: Positions[] | undefined,
): Uint8Array {
  const { layout } = facts
  const out = new ByteSink(layout.bytes.length * 2)
  const planner = new BodyPlanner(facts)
  const writer = new BodyWriter(facts, planner)
  surveys.forEach((survey, index) => {
    const type = layout.types[layout.functions[layout.importedFunctions + index]!]!
    planner.plan(survey, type)
    const found: Positions | undefined = positions === undefined ? undefined : []
    writer.write(out, survey, type, found)
    if (found !== undefined) positions!.push(found)
  })
  return out.written
}

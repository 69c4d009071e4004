import { ByteReader } from './byte-reader.ts'
import { type Instruction, opcodes, readInstruction } from './instructions.ts'
import type { ModuleLayout } from './layout.ts'

/** What the code of a module can do that decides how an instance is reset. */
interface ModuleTraits {
  /** Asks for the size of its memory or grows it. */
  readonly measuresMemory: boolean
  readonly growsTables: boolean
  readonly changesTables: boolean
  /** Drops passive segments, which nothing can bring back. */
  readonly dropsSegments: boolean
}

/** Places of an instruction in the file. */
interface Site {
  readonly opcode: number
  readonly start: number
  readonly end: number
}

export interface CodeScan {
  readonly traits: ModuleTraits
  /** Every `memory.size` and `memory.grow`, in the order of the file. */
  readonly memorySites: readonly Site[]
}

const interesting: ReadonlySet<number> = new Set([
  opcodes.memorySize,
  opcodes.memoryGrow,
  opcodes.dataDrop,
  opcodes.elemDrop,
  opcodes.tableSet,
  opcodes.tableInit,
  opcodes.tableCopy,
  opcodes.tableGrow,
  opcodes.tableFill,
])

/** Walks through all function bodies once. @throws EngineError MODULE_INVALID for unsupported instructions */
export function scanCode(layout: ModuleLayout): CodeScan {
  const seen = new Set<number>()
  const memorySites: Site[] = []
  const instruction: Instruction = { opcode: 0, start: 0 }
  for (const { start, end } of layout.bodies) {
    const reader = new ByteReader(layout.bytes, start, end)
    skipLocals(reader)
    while (!reader.done) {
      readInstruction(reader, instruction)
      const { opcode } = instruction
      if (!interesting.has(opcode)) continue
      seen.add(opcode)
      if (opcode === opcodes.memorySize || opcode === opcodes.memoryGrow)
        memorySites.push({ opcode, start: instruction.start, end: reader.at })
    }
  }
  const any = (...codes: number[]) => codes.some((code) => seen.has(code))
  return {
    memorySites,
    traits: {
      measuresMemory: memorySites.length > 0,
      growsTables: any(opcodes.tableGrow),
      changesTables: any(opcodes.tableSet, opcodes.tableInit, opcodes.tableCopy, opcodes.tableGrow, opcodes.tableFill),
      dropsSegments: any(opcodes.dataDrop, opcodes.elemDrop),
    },
  }
}

function skipLocals(reader: ByteReader): void {
  reader.vector(() => {
    reader.skipLeb(32)
    reader.u8()
  })
}

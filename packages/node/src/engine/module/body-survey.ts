import { ByteReader, malformed } from './byte-reader.ts'
import { InstructionReader, opcodeCount, opcodes } from './instructions.ts'
import { type ValueType, valueTypes } from './layout.ts'
import { nanResults } from './nan-sources.ts'

const v128Code = 0x7b

/** What must be known of a function before its code is walked through in earnest. */
export interface BodySurvey {
  /** Where the declarations of locals begin, and the instructions. */
  readonly start: number
  readonly code: number
  readonly end: number
  /** Groups of locals in the file. */
  readonly localGroups: number
  /** Locals that are declared, without the parameters. */
  readonly locals: number
  readonly usesVectors: boolean
  /** Calls functions of the module or the host; operations that only the rewriter's helpers do are not meant. */
  readonly calls: boolean
  /** Whether arithmetic may make NaNs whose bits the machine chooses. */
  readonly makesNans: boolean
}

/** What all functions of a module use together. */
export class ModuleSurvey {
  readonly #seen = new Uint8Array(opcodeCount)

  note(opcode: number): void {
    this.#seen[opcode] = 1
  }

  uses(...codes: readonly number[]): boolean {
    return codes.some((code) => this.#seen[code] === 1)
  }
}

/** Reads a function once. @throws EngineError MODULE_INVALID for unsupported instructions */
export function surveyBody(bytes: Uint8Array, body: { start: number; end: number }, module: ModuleSurvey): BodySurvey {
  const declared = surveyLocals(bytes, body.start)
  const reader = new InstructionReader(bytes, declared.code)
  let { usesVectors } = declared
  let calls = false
  let makesNans = false
  while (reader.at < body.end) {
    reader.next()
    const { opcode } = reader
    if (opcode >= opcodes.call && opcode <= opcodes.returnCallIndirect) calls = true
    else if (opcode > opcodes.globalSet) {
      module.note(opcode)
      if (nanResults[opcode] !== 0) makesNans = true
      if (opcode >= 0x200) usesVectors = true
    }
  }
  const { start, end } = body
  return { ...declared, start, end, usesVectors, calls, makesNans }
}

function surveyLocals(bytes: Uint8Array, start: number) {
  const reader = new ByteReader(bytes, start)
  const localGroups = reader.u32()
  let locals = 0
  let usesVectors = false
  for (let group = 0; group < localGroups; group++) {
    locals += reader.u32()
    const code = reader.u8()
    if (!valueTypes.has(code)) throw malformed(`local of type 0x${code.toString(16)} is not supported`)
    if (code === v128Code) usesVectors = true
  }
  return { code: reader.at, localGroups, locals, usesVectors }
}

/** Calls back for each group of locals that a function declares, parameters not included. */
export function forEachLocalGroup(
  bytes: Uint8Array,
  start: number,
  visit: (count: number, type: ValueType) => void,
): void {
  const reader = new ByteReader(bytes, start)
  for (let groups = reader.u32(); groups > 0; groups--) {
    const count = reader.u32()
    visit(count, valueTypes.get(reader.u8())!)
  }
}

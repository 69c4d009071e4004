import type { BodySurvey } from './body-survey.ts'
import type { FunctionType } from './layout.ts'

/** What a call takes beside its values: return address, links, spilled registers, locals that the rewriter adds. */
const fixedBytes = 128
const scalarBytes = 8
const vectorBytes = 16

/** Functions that call nothing and need no more than this are not counted: of them there is at most one on the stack. */
const uncountedBytes = 1024

/**
 * The stack that a call of a function takes, in bytes: an upper bound of what V8's baseline compiler takes, which keeps every
 * value in a slot of its own; see `docs/spec/fuel.md`.
 * @param highest greatest height of the operand stack
 */
export function frameBytes(survey: BodySurvey, { params, results }: FunctionType, highest: number): number {
  const vectors = survey.usesVectors || params.includes('v128') || results.includes('v128')
  const values = params.length + results.length + survey.locals + highest
  return fixedBytes + values * (vectors ? vectorBytes : scalarBytes)
}

export function isUncounted(survey: BodySurvey, bytes: number): boolean {
  return !survey.calls && bytes <= uncountedBytes
}

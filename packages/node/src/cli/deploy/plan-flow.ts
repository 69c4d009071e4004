import { isDeepStrictEqual } from 'node:util'
import { chooseApplet, type Flow, missingFunctions } from '../../project/flow.ts'
import { CliError } from '../errors.ts'
import { nothing, type PlanPart } from './plan-part.ts'
import type { CurrentProject, DesiredApplet, DesiredProject } from './state.ts'

/** The flow as a whole; one that is empty removes what there is. */
export function planFlow({ flow }: DesiredProject, current: CurrentProject | undefined): PlanPart {
  const there = current?.flow ?? {}
  if (!flow || isDeepStrictEqual(flow, there)) return nothing
  const before = Object.keys(there).length > 0
  const after = Object.keys(flow).length > 0
  if (!before && !after) return nothing
  const sign = after ? (before ? '~' : '+') : '-'
  const detail = (flow.operators ?? []).map(({ opType, wasmFunc }) => wasmFunc ?? opType).join(' | ')
  return { changes: [{ op: 'flow.put', flow }], lines: [{ sign, what: 'flow', detail }] }
}

/** An applet with the functions that it exports: for events, and for REDUCE. */
export interface BuiltApplet extends DesiredApplet {
  readonly handlers: readonly string[]
  readonly reducers: readonly string[]
}

/**
 * Refuses a flow whose functions the applets of the same file lack.
 * @throws CliError CLI_CHECK_FAILED with every function that is missing
 */
export function checkFunctions(flow: Flow | undefined, applets: readonly BuiltApplet[] | undefined): void {
  const operators = flow?.operators ?? []
  if (!flow || !applets || operators.length === 0) return
  const candidates = applets.map((one) => ({ ...one, eventTypes: one.strategies.map(({ eventType }) => eventType) }))
  const applet = chooseApplet(flow, candidates)
  if (!applet)
    throw new CliError({
      code: 'CLI_CHECK_FAILED',
      detail: `flow: no applet is told whose functions the steps are; name one of ${applets.map(({ name }) => name).join(', ')}`,
    })
  const missing = missingFunctions(flow, applet)
  if (missing.length > 0)
    throw new CliError({
      code: 'CLI_CHECK_FAILED',
      detail: `flow: applet ${applet.name} exports no function for ${missing.join(', ')}`,
    })
}

import { sha256, toHex } from '@w3bstream/protocol'
import type { DatabaseSchema } from '../../database/database.ts'
import { type Flow, type FlowOperator, flowOperatorTypes } from '../../project/flow.ts'
import { flowLimits, reservedTypePrefix } from './limits.ts'
import { type FlowProblem, problemText, type Report } from './problem.ts'
import { readWindow } from './read-window.ts'
import { readSink, type Sink } from './sink.ts'
import type { Window } from './windows.ts'

/** An operator on single elements. */
export interface ElementOperator {
  readonly type: 'FILTER' | 'MAP' | 'FLATMAP' | 'GROUP'
  readonly handler: string
}

/** A flow, ready to be run. */
export interface FlowPlan {
  readonly eventTypes: ReadonlySet<string>
  /** Operators that each event goes through when it arrives, in their order. */
  readonly arrival: readonly ElementOperator[]
  readonly window: Window | undefined
  /** GROUP stands before WINDOW, so each group has windows of its own. */
  readonly keyed: boolean
  readonly reduce: string | undefined
  /** REDUCE is run as elements arrive: a window keeps what was accumulated, not its elements. */
  readonly incremental: boolean
  /** Operators that the results of REDUCE go through. */
  readonly closing: readonly ElementOperator[]
  readonly sink: Sink
  /** Names what the kept windows mean: a flow of another shape does not take them over. */
  readonly shape: string
}

/**
 * Reads a flow.
 * @param database the tables of the project
 * @returns the plan; undefined when nothing is configured; or every mistake
 */
export function planFlow(
  flow: Flow | null | undefined,
  database: DatabaseSchema,
): { readonly plan: FlowPlan | undefined } | { readonly problems: readonly FlowProblem[] } {
  if (!flow || isEmpty(flow)) return { plan: undefined }
  const problems: FlowProblem[] = []
  const report: Report = (path, message) => void problems.push({ path, message })
  const eventTypes = readSource(flow, report)
  const operators = flow.operators ?? []
  checkOperators(operators, report)
  const at = operators.findIndex(({ opType }) => opType === 'WINDOW')
  const window = at < 0 ? undefined : readWindow(operators[at]!.window, ['operators', at, 'window'], report)
  const sink = readSink(flow, { database, sources: eventTypes }, report)
  if (problems.length > 0 || !sink) return { problems }
  return { plan: assemble(flow, { eventTypes, operators, window, sink }) }
}

function assemble(
  flow: Flow,
  parts: Pick<FlowPlan, 'eventTypes' | 'window' | 'sink'> & { operators: readonly FlowOperator[] },
): FlowPlan {
  const { eventTypes, operators, window, sink } = parts
  const types = operators.map(({ opType }) => opType)
  const [windowAt, groupAt, reduceAt] = [types.indexOf('WINDOW'), types.indexOf('GROUP'), types.indexOf('REDUCE')]
  const keyed = groupAt >= 0 && groupAt < windowAt
  const reduce = reduceAt < 0 ? undefined : operators[reduceAt]!.wasmFunc
  // Sessions merge, and two accumulated values cannot be; a count over all groups is not one of each group.
  const perGroup = window?.kind === 'count' && (keyed || groupAt < 0)
  const incremental = reduce !== undefined && (perGroup || window?.kind === 'tumbling' || window?.kind === 'sliding')
  const arrival = elementOperators(reduceAt < 0 ? operators : operators.slice(0, reduceAt))
  const closing = reduceAt < 0 ? [] : elementOperators(operators.slice(reduceAt + 1))
  const shape = shapeOf({ applet: flow.applet, arrival, window, keyed, reduce })
  return { eventTypes, arrival, window, keyed, reduce, incremental, closing, sink, shape }
}

function elementOperators(operators: readonly FlowOperator[]): ElementOperator[] {
  return operators.flatMap(({ opType, wasmFunc = '' }) =>
    opType === 'WINDOW' || opType === 'REDUCE' ? [] : [{ type: opType, handler: wasmFunc }],
  )
}

function shapeOf(parts: object): string {
  return toHex(sha256(new TextEncoder().encode(JSON.stringify(parts)))).slice(2, 34)
}

/** As it is made with every project, before somebody configures it. */
function isEmpty({ source, operators, sink }: Flow): boolean {
  return !source?.strategies?.length && !operators?.length && !sink?.sinkType
}

function readSource({ source }: Flow, report: Report): Set<string> {
  const types = source?.strategies ?? []
  const path = ['source', 'strategies']
  if (types.length === 0) report(path, 'names no event type')
  if (types.length > flowLimits.sourceTypes) report(path, `${types.length} types, at most ${flowLimits.sourceTypes}`)
  const known = new Set<string>()
  for (const [i, type] of types.entries()) {
    if (type === '') report([...path, i], 'is empty')
    else if (type.startsWith(reservedTypePrefix))
      report([...path, i], `types that begin with ${reservedTypePrefix} are the node's own`)
    else if (known.has(type)) report([...path, i], `"${type}" stands there twice`)
    known.add(type)
  }
  return known
}

/** What stands where, and how often. */
function checkOperators(operators: readonly FlowOperator[], report: Report): void {
  if (operators.length > flowLimits.operators)
    report(['operators'], `${operators.length} operators, at most ${flowLimits.operators}`)
  const first = new Map<string, number>()
  for (const [i, { opType, wasmFunc, window }] of operators.entries()) {
    const path = ['operators', i]
    if (!flowOperatorTypes.includes(opType)) {
      report([...path, 'opType'], `"${opType}" is none of ${flowOperatorTypes.join(', ')}`)
      continue
    }
    if (opType !== 'WINDOW' && !wasmFunc) report([...path, 'wasmFunc'], `${opType} names no function`)
    if (opType !== 'WINDOW' && window !== undefined) report([...path, 'window'], `${opType} has no window`)
    if (single.has(opType) && first.has(opType))
      report(path, `a flow has one ${opType}, and there is one at operators[${first.get(opType)}]`)
    else if (opType === 'REDUCE' && !first.has('WINDOW'))
      report(path, 'REDUCE has nothing to end it: a WINDOW must stand before it')
    else if (opType === 'GROUP' && first.has('REDUCE'))
      report(path, 'GROUP stands behind REDUCE, which leaves one element')
    if (!first.has(opType)) first.set(opType, i)
  }
  if (first.has('GROUP') && !first.has('WINDOW')) report(['operators', first.get('GROUP')!], 'GROUP has no WINDOW')
}

const single: ReadonlySet<string> = new Set(['WINDOW', 'GROUP', 'REDUCE'])

/** Every mistake of a flow, as text. */
export function flowProblems(flow: Flow | null, database: DatabaseSchema): readonly string[] {
  const read = planFlow(flow, database)
  return 'problems' in read ? read.problems.map(problemText) : []
}

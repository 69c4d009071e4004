import { planFlow } from '../../event/flow/plan.ts'
import type { FlowProblem } from '../../event/flow/problem.ts'
import type { Flow, FlowOperator, FlowSink, FlowWindow } from '../../project/flow.ts'
import { parseDuration } from '../../util/go-duration.ts'
import type { ShapeProblem } from './check-shape.ts'
import type { ProjectFile } from './schema.ts'
import type { FlowSection } from './schema-flow.ts'
import { databaseOf } from './tables.ts'

type Step = NonNullable<FlowSection['steps']>[number]
type Window = NonNullable<Step['window']>

const windowKinds = ['tumbling', 'sliding', 'session', 'count'] as const
const sinkKinds = ['table', 'event', 'topic', 'chain'] as const
const stepTypes = { filter: 'FILTER', map: 'MAP', flatmap: 'FLATMAP', group: 'GROUP', reduce: 'REDUCE' } as const

/** The flow that a project file declares, in the form of `PROJECT_FLOW`; undefined when it says nothing of one. */
export function flowOf({ flow }: Pick<ProjectFile, 'flow'>): Flow | undefined {
  if (!flow) return undefined
  const { events, applet, steps, sink } = flow
  return {
    ...(events?.length ? { source: { strategies: events } } : {}),
    ...(applet === undefined ? {} : { applet }),
    ...(steps?.length ? { operators: steps.map(operatorOf) } : {}),
    ...(sink && Object.keys(sink).length > 0 ? { sink: sinkOf(sink) } : {}),
  }
}

/** Mistakes in a flow that no schema sees. Of tables that the file does not declare, the node knows. */
export function checkFlow(file: Partial<ProjectFile>): ShapeProblem[] {
  const { flow } = file
  if (!flow) return []
  const form = formProblems(flow)
  if (form.length > 0) return form
  const database = databaseOf(file as ProjectFile)
  const read = planFlow(flowOf({ flow }), database ?? {})
  const problems = 'problems' in read ? read.problems : []
  return problems.filter(({ path }) => database || path[2] !== 'DBInfo').map(toFile)
}

/** What is written several times, or not at all. */
function formProblems({ steps = [], sink = {} }: FlowSection): ShapeProblem[] {
  const problems: ShapeProblem[] = []
  const wantOne = (path: ShapeProblem['path'], value: object, names: readonly string[]) => {
    const given = names.filter((name) => name in value)
    if (given.length !== 1) problems.push({ path, message: `wanted one of ${names.join(', ')}` })
  }
  for (const [i, step] of steps.entries()) {
    wantOne(['flow', 'steps', i], step, [...Object.keys(stepTypes), 'window'])
    if (step.window) wantOne(['flow', 'steps', i, 'window'], step.window, windowKinds)
    const every = step.window?.every
    if (typeof every === 'string' && parseDuration(every) === undefined)
      problems.push({ path: ['flow', 'steps', i, 'window', 'every'], message: `"${every}" is no time such as 10s` })
  }
  if (Object.keys(sink).length > 0) wantOne(['flow', 'sink'], sink, sinkKinds)
  return problems
}

/** The place of a mistake in the file. */
function toFile({ path, message }: FlowProblem): ShapeProblem {
  if (path[0] === 'source') return { path: ['flow', 'events', ...path.slice(2)], message }
  if (path[0] === 'operators') return { path: ['flow', 'steps', ...path.slice(1, 2)], message: withKey(path, message) }
  return { path: ['flow', 'sink'], message: withKey(path, message) }
}

function withKey(path: FlowProblem['path'], message: string): string {
  const key = path.at(-1)
  return path.length > 2 && typeof key === 'string' && key !== 'wasmFunc' ? `${key}: ${message}` : message
}

function operatorOf(step: Step): FlowOperator {
  if (step.window) return { opType: 'WINDOW', window: windowOf(step.window) }
  const [name, wasmFunc] = Object.entries(step)[0] as [keyof typeof stepTypes, string]
  return { opType: stepTypes[name], wasmFunc }
}

function windowOf({ tumbling, sliding, session, count, every, lateness, idle }: Window): FlowWindow {
  const kind = windowKinds.find((_, i) => [tumbling, sliding, session, count][i] !== undefined) ?? 'tumbling'
  return given({
    kind,
    sizeMs: ms(tumbling ?? sliding),
    everyMs: typeof every === 'string' ? parseDuration(every) : undefined,
    gapMs: ms(session),
    latenessMs: ms(lateness),
    count,
    every: typeof every === 'number' ? every : undefined,
    idleMs: ms(idle),
  })
}

function sinkOf({
  table,
  columns = [],
  event,
  topic,
  chain,
  ...transaction
}: NonNullable<FlowSection['sink']>): FlowSink {
  if (event !== undefined) return { sinkType: 'EVENT', sinkInfo: { event: { eventType: event } } }
  if (topic !== undefined) return { sinkType: 'MQTT', sinkInfo: { mqtt: { topic } } }
  if (chain !== undefined)
    return { sinkType: 'BLOCKCHAIN', sinkInfo: { chainBlock: { chainID: chain, ...transaction } } }
  const list = Array.isArray(columns) ? columns : Object.entries(columns).map(([name, field]) => ({ name, field }))
  return { sinkType: 'RMDB', sinkInfo: { DBInfo: { table: table ?? '', columns: list } } }
}

function ms(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseDuration(text)
}

function given<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as T
}

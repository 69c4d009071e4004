import { type FlowWindow, flowWindowKinds } from '../../project/flow.ts'
import { flowLimits, windowDefaults } from './limits.ts'
import type { FlowProblem, Report } from './problem.ts'
import type { Window } from './windows.ts'

type Key = Exclude<keyof FlowWindow, 'kind'>

/** What each kind of window wants, and may have. */
const keysOf: Readonly<Record<FlowWindow['kind'], { wanted: readonly Key[]; allowed: readonly Key[] }>> = {
  tumbling: { wanted: [], allowed: ['sizeMs', 'latenessMs'] },
  sliding: { wanted: ['sizeMs', 'everyMs'], allowed: ['latenessMs'] },
  session: { wanted: ['gapMs'], allowed: ['latenessMs'] },
  count: { wanted: ['count'], allowed: ['every', 'idleMs'] },
}

/** The window of a WINDOW; without parameters the published one. @returns undefined after a report */
export function readWindow(
  given: FlowWindow | undefined,
  path: FlowProblem['path'],
  report: Report,
): Window | undefined {
  const window = given ?? { kind: 'tumbling' }
  const keys = Object.hasOwn(keysOf, window.kind) ? keysOf[window.kind] : undefined
  if (!keys) return void report([...path, 'kind'], `"${window.kind}" is none of ${flowWindowKinds.join(', ')}`)
  let sound = true
  const wrong: Report = (at, message) => {
    sound = false
    report([...path, ...at], message)
  }
  for (const key of keys.wanted)
    if (window[key] === undefined) wrong([key], `is missing: a ${window.kind} window wants it`)
  for (const [key, value] of Object.entries(window))
    if (key !== 'kind' && value !== undefined) checkValue(window.kind, key as Key, value as number, wrong)
  const made = sound ? complete(window) : undefined
  if (made) checkProportion(made, wrong)
  return sound ? made : undefined
}

function checkValue(kind: FlowWindow['kind'], key: Key, value: number, wrong: Report): void {
  const { wanted, allowed } = keysOf[kind]
  if (!wanted.includes(key) && !allowed.includes(key)) {
    wrong([key], `a ${kind} window has none`)
    return
  }
  const counts = key === 'count' || key === 'every'
  const least = key === 'latenessMs' ? 0 : 1
  const most = counts ? flowLimits.elementsPerWindow : flowLimits.windowMs
  if (!Number.isSafeInteger(value) || value < least || value > most)
    wrong([key], `${value} is not a whole number from ${least} to ${most}`)
}

function complete(given: FlowWindow): Window {
  const latenessMs = given.latenessMs ?? windowDefaults.latenessMs
  if (given.kind === 'session') return { kind: 'session', gapMs: given.gapMs!, latenessMs }
  if (given.kind === 'count') {
    const size = given.count!
    return { kind: 'count', size, every: given.every ?? size, idleMs: given.idleMs ?? windowDefaults.idleMs }
  }
  const size = given.sizeMs ?? windowDefaults.sizeMs
  return { kind: given.kind, size, every: given.everyMs ?? size, latenessMs }
}

function checkProportion(window: Window, wrong: Report): void {
  if (window.kind === 'session') return
  const key = window.kind === 'count' ? 'every' : 'everyMs'
  const { size, every } = window
  if (every > size) wrong([key], `${every} is longer than the window, so that elements would fall into none`)
  else if (Math.ceil(size / every) > flowLimits.windowsPerElement)
    wrong(
      [key],
      `each element would fall into ${Math.ceil(size / every)} windows, at most ${flowLimits.windowsPerElement}`,
    )
}

/**
 * The stream flow of a project, as it is configured (`docs/spec/flows.md`). Spelling as published; `applet`, `window` and the
 * sinks beside `RMDB` and `BLOCKCHAIN` are additions.
 */
export interface Flow {
  /** Types of the events that go to the flow instead of their strategies. */
  readonly source?: { readonly strategies?: readonly string[] | null } | null
  /** Name of the applet whose exports the operators are. @default that of the strategies named, else the only one */
  readonly applet?: string
  readonly operators?: readonly FlowOperator[] | null
  readonly sink?: FlowSink | null
}

export const flowOperatorTypes = ['FILTER', 'MAP', 'FLATMAP', 'WINDOW', 'GROUP', 'REDUCE'] as const
type FlowOperatorType = (typeof flowOperatorTypes)[number]

export interface FlowOperator {
  readonly opType: FlowOperatorType
  /** Export of the applet: `(rid) -> rid`, of REDUCE `(acc, rid) -> rid`. WINDOW has none. */
  readonly wasmFunc?: string
  /** Published, without a meaning. */
  readonly parallel?: string
  /** Of WINDOW. @default tumbling, 60 s */
  readonly window?: FlowWindow
}

export const flowWindowKinds = ['tumbling', 'sliding', 'session', 'count'] as const

/** Times are milliseconds. */
export interface FlowWindow {
  readonly kind: (typeof flowWindowKinds)[number]
  /** Length of a tumbling or sliding window. @default 60_000 for tumbling */
  readonly sizeMs?: number
  /** Distance of the beginnings of sliding windows. */
  readonly everyMs?: number
  /** A pause of this length ends a session. */
  readonly gapMs?: number
  /** How long after its end a window waits for events that are late. @default 5000 */
  readonly latenessMs?: number
  /** Elements of a count window. */
  readonly count?: number
  /** Elements from the beginning of a count window to that of the next. @default count */
  readonly every?: number
  /** A count window that gets nothing for this long is closed as it is. @default 3_600_000 */
  readonly idleMs?: number
}

export const flowSinkTypes = ['RMDB', 'BLOCKCHAIN', 'EVENT', 'MQTT', ''] as const

/** Where results go. Texts may name fields of the result as `{name}`. */
export interface FlowSink {
  readonly sinkType?: (typeof flowSinkTypes)[number]
  readonly sinkInfo?: {
    readonly DBInfo?: FlowTable | null
    readonly chainBlock?: FlowTransaction | null
    readonly event?: { readonly eventType: string } | null
    readonly mqtt?: { readonly topic: string } | null
  } | null
}

/** A table of the project that gets one row for each result. */
export interface FlowTable {
  /** Published; empty, since tables are the project's own. */
  readonly endpoint?: string
  readonly DBType?: string
  /** `table` or `schema.table`. */
  readonly table: string
  /** Columns, each filled from the field of its name or from the one that is told. */
  readonly columns: readonly (string | { readonly name: string; readonly field: string })[] | null
}

/** A transaction for each result: plain data, or a function with its arguments. */
export interface FlowTransaction {
  readonly chainID: number
  readonly to?: string
  /** Wei, decimal. @default '0' */
  readonly value?: string
  readonly data?: string
  /** A Solidity function, such as `function mint(address to, uint256 amount)`. */
  readonly function?: string
  readonly args?: readonly string[]
  /** @default the project's operator */
  readonly operator?: string
}

/** An applet as far as a flow chooses by it. */
export interface FlowCandidate {
  readonly name: string
  /** Event types that routes give to it. */
  readonly eventTypes: readonly string[]
}

/**
 * The applet whose exports the operators of a flow are: the one that the flow names; else the one that all routes for its event
 * types belong to; else the only one of the project. Undefined when none of these says which.
 */
export function chooseApplet<A extends FlowCandidate>({ applet, source }: Flow, applets: readonly A[]): A | undefined {
  if (applet) return applets.find(({ name }) => name === applet)
  const types = new Set(source?.strategies)
  const routed = applets.filter(({ eventTypes }) => eventTypes.some((type) => types.has(type)))
  const wanted = routed.length > 0 ? routed : applets
  return wanted.length === 1 ? wanted[0] : undefined
}

/** Operators whose functions a module does not export, such as `reduce "mean"`. */
export function missingFunctions(
  { operators }: Flow,
  { handlers, reducers }: { readonly handlers: readonly string[]; readonly reducers: readonly string[] },
): string[] {
  return (operators ?? []).flatMap(({ opType, wasmFunc = '' }) => {
    if (opType === 'WINDOW') return []
    const known = opType === 'REDUCE' ? reducers : handlers
    return known.includes(wasmFunc) ? [] : [`${opType.toLowerCase()} "${wasmFunc}"`]
  })
}

/** A window of a flow that has not ended. Times are milliseconds. */
export interface OpenWindow {
  /** Key of the group, where each has windows of its own; else empty. */
  readonly group: string
  readonly startMs: number
  /** Of a count window, the time of its latest element. */
  readonly endMs: number
  /** When it is closed at the latest. */
  readonly dueMs: number
  readonly elements: number
  /** What it counts towards the limit of the flow. */
  readonly bytes: number
  /** Length of what REDUCE has accumulated; absent where the window keeps its elements. */
  readonly accumulatorBytes?: number
}

/** What a flow keeps. */
export interface FlowStatus {
  /** Open windows, of which {@link open} may be some. */
  readonly windows: number
  readonly bytes: number
  /** Elements that came when their windows were closed. */
  readonly late: number
  /** Elements that found no room. */
  readonly dropped: number
  /** When the node looks again for windows that are due; absent when none is open. */
  readonly wakeMs?: number
  /** Those that end first come first. */
  readonly open: readonly OpenWindow[]
}

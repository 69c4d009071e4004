/** Bounds of a flow and of what it keeps. Part of the protocol: every member must refuse and drop alike. */
export const flowLimits = {
  /** Operators of a flow. */
  operators: 32,
  /** Event types of a source. */
  sourceTypes: 100,
  /** Windows that one element falls into. */
  windowsPerElement: 100,
  /** Elements that a FLATMAP makes of one. */
  flatMapElements: 1000,
  /** Bytes of all elements that one event has become, between two operators. */
  wayBytes: 16 * 1024 * 1024,
  /** Levels of nesting of JSON that operators answer and sinks read. */
  jsonDepth: 64,
  /** Windows that are open at a time, each group counted. */
  openWindows: 10_000,
  /** Sessions of one group that are open at a time. */
  sessionsPerGroup: 1000,
  /** Elements that one window keeps, where it keeps elements. */
  elementsPerWindow: 10_000,
  /** Bytes of a kept element, and of what REDUCE accumulates. */
  elementBytes: 65_536,
  /** Bytes of all that a flow keeps. */
  stateBytes: 64 * 1024 * 1024,
  /** Bytes of the key of a group. */
  groupKeyBytes: 256,
  /** Windows that one message closes; the next timer goes on. */
  closings: 1000,
  /** Kept elements in windows that one message closes, beyond which it closes no other. */
  closingElements: 10_000,
  /** Log lines of the flow itself about one message. */
  logLines: 100,
  /** Rows of a flow that is gone which one message removes. */
  removals: 1000,
  /** Length of a window, of its distance to the next, and of all other times: milliseconds of 400 days. */
  windowMs: 400 * 86_400_000,
} as const

/** What kept things are counted with, beside their bytes. */
export const keptOverhead = 64

/** Values that a window has when nothing else is said. */
export const windowDefaults = { sizeMs: 60_000, latenessMs: 5000, idleMs: 3_600_000 } as const

/** Event types that begin so are the node's own: no sender may use them. */
export const reservedTypePrefix = 'w3bstream:'

/** Type of the timer messages that close windows. */
export const flowTimerType = 'w3bstream:flow'

/** Where a flow keeps what outlives a message: the name space of {@link FlowMeta}, and one for each generation. */
export const metaNamespace = 'flow'

/** How the idempotency key of an event that a flow made begins. Such an event does not enter the flow again. */
export const emittedPrefix = 'flow:'

import type { FileReport } from './test-applet.ts'

/** Which handlers of an applet the example events of its tests reached. */
export interface HandlerCoverage {
  /** Events by handler, in the order of the module's exports; 0 for a handler that no test calls. */
  readonly events: Readonly<Record<string, number>>
  /** Handlers that no test calls. */
  readonly missing: readonly string[]
  /** Share of the handlers that a test calls, 0 to 100; 100 for a module without any. */
  readonly percent: number
}

export function handlerCoverage(handlers: readonly string[], files: readonly FileReport[]): HandlerCoverage {
  const called = files.flatMap((file) => file.events.map(({ handler }) => handler))
  const events = Object.fromEntries(
    handlers.map((handler) => [handler, called.filter((name) => name === handler).length]),
  )
  const missing = handlers.filter((handler) => events[handler] === 0)
  const percent = handlers.length === 0 ? 100 : ((handlers.length - missing.length) * 100) / handlers.length
  return { events, missing, percent }
}

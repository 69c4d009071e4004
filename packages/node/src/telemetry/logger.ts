/** Fields of a log line. Never payloads, keys or tokens. */
export type LogContext = Readonly<Record<string, string | number | bigint | boolean | undefined>>

/**
 * Log lines of the node. Levels: `error` somebody must act; `warn` something is wrong and was handled; `info` a change of
 * state that an operator wants to see; `debug` for finding faults.
 */
export interface Logger {
  debug(message: string, context?: LogContext, error?: unknown): void
  info(message: string, context?: LogContext, error?: unknown): void
  warn(message: string, context?: LogContext, error?: unknown): void
  error(message: string, context?: LogContext, error?: unknown): void
  /** A logger whose lines name this component. */
  child(component: string): Logger
}

export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
}

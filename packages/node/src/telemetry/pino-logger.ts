import { type Logger as Pino, pino } from 'pino'
import type { LogContext, Logger } from './logger.ts'
import { textLine } from './text-line.ts'

/** `json` for programs, `text` for people. */
export type LogFormat = 'json' | 'text'

/**
 * Log lines on standard error, asynchronous while the process lives.
 * @param options.format default: text when standard error is a terminal, otherwise JSON
 */
export function createPinoLogger(options: { level: 'debug' | 'info' | 'warn' | 'error'; format?: LogFormat }): Logger {
  const { level, format = process.stderr.isTTY ? 'text' : 'json' } = options
  const destination = pino.destination({ dest: 2, sync: false, minLength: 0 })
  const stream = format === 'json' ? destination : { write: (line: string) => destination.write(textLine(line)) }
  return wrap(pino({ level, base: null, serializers: { error: pino.stdSerializers.err } }, stream))
}

function wrap(log: Pino): Logger {
  const fields = (context: LogContext | undefined, error: unknown) => ({
    ...plain(context),
    ...(error === undefined ? {} : { error }),
  })
  return {
    debug: (message, context, error) => log.debug(fields(context, error), message),
    info: (message, context, error) => log.info(fields(context, error), message),
    warn: (message, context, error) => log.warn(fields(context, error), message),
    error: (message, context, error) => log.error(fields(context, error), message),
    child: (component) => wrap(log.child({ component })),
  }
}

/** JSON has no 64-bit integers. */
function plain(context: LogContext = {}): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(context).map(([name, value]) => [name, typeof value === 'bigint' ? value.toString() : value]),
  )
}

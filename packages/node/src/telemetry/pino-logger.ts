import { type Logger as Pino, pino } from 'pino'
import type { LogContext, Logger } from './logger.ts'

/** Log lines as JSON on standard error, one a line, asynchronous while the process lives. */
export function createPinoLogger(options: { level: 'debug' | 'info' | 'warn' | 'error' }): Logger {
  const destination = pino.destination({ dest: 2, sync: false, minLength: 0 })
  return wrap(pino({ level: options.level, base: null, serializers: { error: pino.stdSerializers.err } }, destination))
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

import { ClientError } from './errors.ts'

export interface RetryOptions {
  readonly retries: number
  readonly minDelayMs: number
  readonly maxDelayMs: number
  /** Whether to try again after a failure that leaves open if the event was executed. */
  readonly whenUncertain: boolean
}

/**
 * Tries until it works, the failure is final, or the attempts are used up. Written here because the usual libraries
 * choose the pause themselves, and the one that the node asks for has to count.
 * @throws the last failure, or the signal's reason
 */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  options: RetryOptions,
  signal: AbortSignal,
): Promise<T> {
  for (let failures = 0; ; failures++) {
    signal.throwIfAborted()
    try {
      return await attempt()
    } catch (error) {
      if (failures >= options.retries || !isRetryable(error, options.whenUncertain)) throw error
      await pause(delayMs(failures, error, options), signal)
    }
  }
}

export function isRetryable(error: unknown, whenUncertain: boolean): boolean {
  if (!(error instanceof ClientError)) return false
  if (error.code === 'BUSY') return true
  return whenUncertain && (error.code === 'NETWORK' || error.code === 'TIMEOUT')
}

/**
 * Doubles with each failure, and is drawn at random between half and all of it, so that a fleet that lost its node does
 * not come back in one moment. Never shorter than what the node asked for, nor longer than `maxDelayMs`.
 */
export function delayMs(failures: number, error: unknown, options: RetryOptions, random = Math.random): number {
  const { minDelayMs, maxDelayMs } = options
  const backoff = Math.min(minDelayMs * 2 ** failures, maxDelayMs)
  const asked = error instanceof ClientError && error.fault.code === 'BUSY' ? (error.fault.retryAfterMs ?? 0) : 0
  return Math.min(Math.max(backoff * (0.5 + random() / 2), asked), maxDelayMs)
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', finish)
      if (signal.aborted) reject(signal.reason)
      else resolve()
    }
    const timer = setTimeout(finish, ms)
    signal.addEventListener('abort', finish, { once: true })
  })
}

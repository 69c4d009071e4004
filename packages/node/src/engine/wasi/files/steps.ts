import type { LimitCode, MaybePromise } from '../../engine.ts'
import { errno } from '../errno.ts'

/**
 * Work on files that waits only where the store must: over an embedded store it runs through at once, without a promise.
 * Written as a generator, awaiting with {@link wait}.
 */
export type Steps<T> = Generator<Promise<unknown>, T, unknown>

/** The value, at once when it is there. */
export function* wait<T>(value: MaybePromise<T>): Steps<T> {
  return value instanceof Promise ? ((yield value) as T) : value
}

/** Why an operation was refused, as the guest sees it. */
class FileFault extends Error {
  readonly errno: number
  constructor(code: FaultCode) {
    super(code)
    this.errno = errno[code]
  }
}

type FaultCode = Exclude<keyof typeof errno, 'success'>

const faults = new Map<FaultCode, FileFault>()

/** A refusal to be thrown. There is one for each code: guests ask for what is not there all the time, and a stack is dear. */
export function fileFault(code: FaultCode): Error {
  let fault = faults.get(code)
  if (fault === undefined) {
    fault = new FileFault(code)
    faults.set(code, fault)
  }
  return fault
}

/** Whom a limit that was reached is reported to. */
interface LimitWitness {
  readonly call: { hit(limit: LimitCode): void }
}

/** Runs the steps. @returns what they return; of a {@link fileFault}, its error number */
export function run(guest: LimitWitness, steps: Steps<number>): MaybePromise<number> {
  return advance(guest, steps, () => steps.next())
}

/** Does what needs no waiting. @returns an error number */
export function attempt(guest: LimitWitness, task: () => void): number {
  try {
    task()
    return errno.success
  } catch (error) {
    return answer(guest, error)
  }
}

function advance(
  guest: LimitWitness,
  steps: Steps<number>,
  next: () => IteratorResult<Promise<unknown>, number>,
): MaybePromise<number> {
  try {
    const result = next()
    if (result.done) return result.value
    return result.value.then(
      (value) => advance(guest, steps, () => steps.next(value)),
      (error: unknown) => advance(guest, steps, () => steps.throw(error)),
    )
  } catch (error) {
    return answer(guest, error)
  }
}

/** Error numbers that a limit gives; the receipt names it. */
const limits: ReadonlySet<number> = new Set([errno.fbig, errno.nospc, errno.mfile])

function answer(guest: LimitWitness, error: unknown): number {
  if (!(error instanceof FileFault)) throw error
  if (limits.has(error.errno)) guest.call.hit('FILE_LIMIT')
  return error.errno
}

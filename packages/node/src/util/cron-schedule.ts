import { Cron } from 'croner'
import { LRUCache } from 'lru-cache'
import { parseDuration } from './go-duration.ts'

/** Times at which something is due, all in UTC, in milliseconds since 1970. */
export interface CronSchedule {
  /** The first time behind `afterMs`; undefined when there is none. */
  next(afterMs: number): number | undefined
  /** The last `count` times before `beforeMs` and behind `afterMs`, oldest first. */
  last(count: number, afterMs: number, beforeMs: number): number[]
}

/** Compiled patterns: most jobs share a few, and compiling one takes longer than asking it. */
const compiled = new LRUCache<string, PatternSchedule>({ max: 1000 })

/**
 * A schedule from a cron expression: five fields, or six with seconds first; `@yearly`, `@monthly`, `@weekly`, `@daily`,
 * `@hourly`; or `@every` with a duration of whole seconds, counted from the anchor.
 * @throws RangeError saying what is wrong; also for expressions that never come true
 */
export function cronSchedule(expression: string, anchorMs: number): CronSchedule {
  const text = expression.trim()
  const every = /^@every\s+(\S+)$/.exec(text)
  if (every) return everySchedule(every[1]!, anchorMs)
  const known = compiled.get(text)
  if (known) return known
  const schedule = new PatternSchedule(compile(text))
  if (schedule.next(anchorMs) === undefined) throw new RangeError(`${text} never comes true`)
  compiled.set(text, schedule)
  return schedule
}

/** What is wrong with an expression; undefined when it can be scheduled. */
export function cronProblem(expression: string, nowMs: number): string | undefined {
  try {
    cronSchedule(expression, nowMs)
    return undefined
  } catch (error) {
    if (error instanceof RangeError) return error.message
    throw error
  }
}

function compile(text: string): Cron {
  if (!/^(@[a-z]+|(\S+\s+){4,5}\S+)$/i.test(text))
    throw new RangeError(
      `"${text}" is not five fields, six with seconds, @daily or the like, or @every with a duration`,
    )
  try {
    return new Cron(text, { timezone: 'UTC' })
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : String(error)
    throw new RangeError(`"${text}": ${reason}`, { cause: error })
  }
}

/** Answers that a schedule remembers: the turn that is due, the one behind it, and the same of who asks a little late. */
const remembered = 4

class PatternSchedule implements CronSchedule {
  readonly #cron: Cron
  /** The last answers: jobs of one expression ask the same at the same time. */
  #answers: { readonly afterMs: number; readonly nextMs: number }[] = []

  constructor(cron: Cron) {
    this.#cron = cron
  }

  next(afterMs: number): number | undefined {
    const known = this.#answers.find((answer) => afterMs >= answer.afterMs && afterMs < answer.nextMs)
    if (known) return known.nextMs
    const nextMs = this.#cron.nextRun(new Date(afterMs))?.getTime()
    if (nextMs !== undefined) this.#answers = [{ afterMs, nextMs }, ...this.#answers.slice(0, remembered - 1)]
    return nextMs
  }

  last(count: number, afterMs: number, beforeMs: number): number[] {
    // The library looks for whole seconds before the reference. Mostly few are wanted, and each is expensive.
    const reference = new Date(Math.ceil(beforeMs / 1000) * 1000)
    for (let tried = Math.min(2, count); ; tried = Math.min(8 * tried, count)) {
      const times = this.#cron.previousRuns(tried, reference).map((date) => date.getTime())
      if (tried < count && times.length === tried && times.at(-1)! > afterMs) continue
      return times.filter((ms) => ms > afterMs && ms < beforeMs).reverse()
    }
  }
}

/** Longest distance of `@every`, milliseconds: ten years. Much longer ones lead to times that no calendar has. */
const maxEveryMs = 87_600 * 3_600_000

function everySchedule(duration: string, anchorMs: number): CronSchedule {
  const everyMs = parseDuration(duration)
  if (everyMs === undefined || everyMs < 1000 || everyMs > maxEveryMs || everyMs % 1000 !== 0)
    throw new RangeError(
      `"@every ${duration}" is no duration of whole seconds, such as 5s, 10m, 1h30m, and at most 87600h`,
    )
  const anchor = Math.ceil(anchorMs / 1000) * 1000
  const turn = (ms: number) => Math.max(0, Math.floor((ms - anchor) / everyMs))
  return {
    next: (afterMs) => anchor + (turn(afterMs) + 1) * everyMs,
    last(count, afterMs, beforeMs) {
      const times: number[] = []
      for (
        let ms = anchor + turn(beforeMs - 1) * everyMs;
        ms > Math.max(afterMs, anchor) && times.length < count;
        ms -= everyMs
      )
        times.unshift(ms)
      return times
    },
  }
}

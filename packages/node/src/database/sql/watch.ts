import { DatabaseError } from '../errors.ts'
import { tickName } from './natives.ts'
import type { Source } from './scope.ts'

/**
 * SQLite cannot be interrupted while it runs a statement: a thread that is told to end goes on until the statement does. So
 * statements whose time may grow faster than their tables call a function for each row that one of their loops visits. A
 * thread's end takes effect there, and so does the deadline of a query that is no part of a batch.
 */
export function isLong(node: unknown): boolean {
  return countOf(node) > 1
}

const slowFunctions = new Set(['replace', 'strpos'])

/** Tables and queries in FROM, and what may take long on a single row, which counts as two. */
function countOf(node: unknown): number {
  if (typeof node !== 'object' || node === null) return 0
  const { type, op, function: called } = node as { type?: unknown; op?: unknown; function?: { name?: string } }
  const isSource = type === 'table' || type === 'statement'
  const isSlow =
    (typeof op === 'string' && op.endsWith('LIKE')) || (called?.name !== undefined && slowFunctions.has(called.name))
  const own = isSlow ? 2 : isSource ? 1 : 0
  return Object.values(node).reduce<number>((sum, value) => sum + countOf(value), own)
}

/** The call for a source's rows. The row is its argument, so that it is called in the loop of the source. */
export function printTick({ key, printed, columns }: Source): string {
  const name = `"${columns[0]!.name.replaceAll('"', '""')}"`
  return `${tickName}(${key ?? `${printed}.${name} IS NULL`})`
}

/** Ticks from one look at the clock to the next. */
const ticksPerLook = 256

/** The deadline of the statement that runs. */
export class Deadline {
  #limitMs: number | undefined
  #endsAt = 0
  #ticks = 0

  /** A statement begins. */
  begin(limitMs: number | undefined): void {
    this.#limitMs = limitMs
    if (limitMs !== undefined) this.#endsAt = performance.now() + limitMs
  }

  /** @throws DatabaseError SQL_LIMIT */
  readonly tick = (): void => {
    if (this.#limitMs === undefined || ++this.#ticks % ticksPerLook !== 0 || performance.now() < this.#endsAt) return
    throw new DatabaseError({ code: 'SQL_LIMIT', what: 'milliseconds', limit: this.#limitMs })
  }
}

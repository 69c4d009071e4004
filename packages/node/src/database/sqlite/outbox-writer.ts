import type { SQLInputValue } from 'node:sqlite'
import type { EffectState, OutboxRow } from '../database.ts'
import type { Statements } from './statements.ts'

export type OutboxChange = Partial<Pick<OutboxRow, 'state' | 'local' | 'detail' | 'attempts'>>

const settledStates: readonly EffectState[] = ['CONFIRMED', 'FAILED']

/** Changes what this member knows of an effect; unknown ids are left alone. */
export function updateOutbox(statements: Statements, id: Uint8Array, change: OutboxChange, nowMs: number): void {
  const terms = ['updated_ms = ?']
  const values: SQLInputValue[] = [nowMs]
  const put = (term: string, value: SQLInputValue | undefined) => {
    if (value === undefined) return
    terms.push(term)
    values.push(value)
  }
  put('state = ?', change.state)
  put('settled = ?', change.state && (settledStates.includes(change.state) ? 1 : 0))
  put('local = ?', change.local)
  put('detail = ?', change.detail)
  put('attempts = ?', change.attempts)
  const update = `UPDATE outbox SET ${terms.join(', ')}`
  // Only open effects are indexed by id: the index stays as small as the work in hand. A settled effect that changes once
  // more, after a reorganisation of its chain, is searched for.
  if (statements.run(`${update} WHERE settled = 0 AND id = ?`, ...values, id) === 0)
    statements.run(`${update} WHERE settled = 1 AND id = ?`, ...values, id)
}

import { randomBytes } from 'node:crypto'
import { type Sfid, sfidFromBytes } from '@w3bstream/protocol'
import type { ControlDatabase } from '../database/control/control.ts'
import { WalletError } from './errors.ts'
import type { Operator, OperatorKeyType } from './wallet.ts'

interface OperatorRow {
  operator_id: string
  account_id: string
  name: string
  type: string
  address: string
  created_ms: number
  updated_ms: number
}

/** Operators and their bindings to projects, as rows of the control file: everything but the keys. */
export class OperatorTable {
  readonly #control: ControlDatabase

  constructor(control: ControlDatabase) {
    this.#control = control
  }

  static newId(): Sfid {
    return sfidFromBytes(randomBytes(8))
  }

  list(accountId: Sfid): readonly Operator[] {
    const rows = this.#control
      .prepare('SELECT * FROM operator WHERE account_id = ? ORDER BY created_ms, rowid')
      .all(accountId)
    return (rows as unknown as OperatorRow[]).map(fromRow)
  }

  get(operatorId: Sfid): Operator | undefined {
    return this.#one('SELECT * FROM operator WHERE operator_id = ?', operatorId)
  }

  byName(accountId: Sfid, name: string): Operator | undefined {
    return this.#one('SELECT * FROM operator WHERE account_id = ? AND name = ?', accountId, name)
  }

  bound(projectId: Sfid): Operator | undefined {
    return this.#one(
      'SELECT o.* FROM operator o JOIN project_operator USING (operator_id) WHERE project_id = ?',
      projectId,
    )
  }

  /** @throws WalletError OPERATOR_EXISTS */
  insert(operator: Operator): void {
    if (this.byName(operator.accountId, operator.name))
      throw new WalletError({ code: 'OPERATOR_EXISTS', name: operator.name })
    const { operatorId, accountId, name, type, address, createdMs, updatedMs } = operator
    this.#control
      .prepare('INSERT INTO operator VALUES (?, ?, ?, ?, ?, ?, ?)')
      .run(operatorId, accountId, name, type, address, createdMs, updatedMs)
  }

  /** @throws WalletError OPERATOR_NOT_FOUND, OPERATOR_BOUND */
  remove(operatorId: Sfid): void {
    this.#wanted(operatorId)
    const rows = this.#control.prepare('SELECT project_id FROM project_operator WHERE operator_id = ?').all(operatorId)
    const projects = (rows as { project_id: string }[]).map((row) => row.project_id)
    if (projects.length > 0) throw new WalletError({ code: 'OPERATOR_BOUND', operatorId, projects })
    this.#control.prepare('DELETE FROM operator WHERE operator_id = ?').run(operatorId)
  }

  /** @throws WalletError OPERATOR_NOT_FOUND, PROJECT_BOUND */
  bind(projectId: Sfid, operatorId: Sfid): void {
    this.#wanted(operatorId)
    const bound = this.bound(projectId)
    if (bound) throw new WalletError({ code: 'PROJECT_BOUND', projectId, operatorId: bound.operatorId })
    this.#control.prepare('INSERT INTO project_operator VALUES (?, ?, ?)').run(projectId, operatorId, Date.now())
  }

  /** A project without a binding is left as it is. */
  unbind(projectId: Sfid): void {
    this.#control.prepare('DELETE FROM project_operator WHERE project_id = ?').run(projectId)
  }

  #wanted(operatorId: Sfid): void {
    if (!this.get(operatorId)) throw new WalletError({ code: 'OPERATOR_NOT_FOUND', operatorId })
  }

  #one(sql: string, ...values: string[]): Operator | undefined {
    const row = this.#control.prepare(sql).get(...values)
    return row === undefined ? undefined : fromRow(row as unknown as OperatorRow)
  }
}

function fromRow(row: OperatorRow): Operator {
  return {
    operatorId: row.operator_id,
    accountId: row.account_id,
    name: row.name,
    type: row.type as OperatorKeyType,
    address: row.address,
    createdMs: row.created_ms,
    updatedMs: row.updated_ms,
  }
}

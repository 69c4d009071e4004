import type { ProjectKey } from '@w3bstream/protocol'
import type { ControlDatabase } from '../../database/control/control.ts'
import type { Timer } from './timers.ts'

/** A timer that was set, or cleared when `atMs` is null. */
export type TimerChange = Omit<Timer, 'atMs'> & { readonly atMs: number | null }

/** The timers in the node's control file. */
export class TimerTable {
  readonly #control: ControlDatabase

  constructor(control: ControlDatabase) {
    this.#control = control
  }

  all(): Timer[] {
    const rows = this.#control.prepare('SELECT project, kind, id, at_ms FROM timer').all()
    return rows.map((row) => ({
      project: row.project as ProjectKey,
      kind: row.kind as string,
      id: row.id as string,
      atMs: Number(row.at_ms),
    }))
  }

  /** Writes changes as one transaction. Those of projects that are gone are passed over. */
  write(changes: Iterable<TimerChange>): void {
    const put = this.#control.prepare(
      'INSERT INTO timer (project, kind, id, at_ms) SELECT key, ?, ?, ? FROM project WHERE key = ? ON CONFLICT DO UPDATE SET at_ms = excluded.at_ms',
    )
    const remove = this.#control.prepare('DELETE FROM timer WHERE project = ? AND kind = ? AND id = ?')
    this.#control.exec('BEGIN IMMEDIATE')
    try {
      for (const { project, kind, id, atMs } of changes)
        if (atMs === null) remove.run(project, kind, id)
        else put.run(kind, id, atMs, project)
      this.#control.exec('COMMIT')
    } catch (error) {
      // On a full disk SQLite may have rolled back by itself.
      if (this.#control.isTransaction) this.#control.exec('ROLLBACK')
      throw error
    }
  }
}

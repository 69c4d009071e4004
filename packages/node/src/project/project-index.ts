import type { ProjectKey, Sfid } from '@w3bstream/protocol'
import type { ControlDatabase } from '../database/control/control.ts'
import type { DefinitionChange } from './definition-rows.ts'
import type { LocatedKind, ProjectEntry } from './project.ts'

/** How long marks of finished projects wait for company, milliseconds. */
const finishedRestMs = 1000

/** Where a project stands in the registry: `creating` and `removing` are finished or undone at the next start. */
export type RegistryState = 'creating' | 'active' | 'indexing' | 'removing'

/**
 * The node's registry of projects in the control file, and the index from the ids of their parts to the project. Held in
 * memory too: every message looks its project up.
 */
export class ProjectIndex {
  readonly #control: ControlDatabase
  readonly #byKey = new Map<ProjectKey, ProjectEntry>()
  readonly #byId = new Map<Sfid, ProjectEntry>()
  readonly #byName = new Map<string, ProjectEntry>()
  /** Projects that are marked as having worked. */
  readonly #marked = new Set<ProjectKey>()
  /** Those among them that have nothing left to do, which is not written yet. */
  readonly #finished = new Set<ProjectKey>()
  #timer: NodeJS.Timeout | undefined

  constructor(control: ControlDatabase) {
    this.#control = control
  }

  /** Reads the registry. @returns entries that are not `active`, which want finishing */
  load(): (ProjectEntry & { state: RegistryState })[] {
    const rows = this.#control
      .prepare('SELECT key, project_id, account_id, name, state, created_ms FROM project ORDER BY created_ms, key')
      .all()
    const entries = rows.map((row) => ({
      key: row.key as ProjectKey,
      projectId: row.project_id as Sfid,
      accountId: row.account_id as Sfid,
      name: row.name as string,
      createdMs: Number(row.created_ms),
      state: row.state as RegistryState,
    }))
    for (const { state, ...entry } of entries) if (state === 'active' || state === 'indexing') this.remember(entry)
    return entries.filter((entry) => entry.state !== 'active')
  }

  byKey(key: ProjectKey): ProjectEntry | undefined {
    return this.#byKey.get(key)
  }

  byId(projectId: Sfid): ProjectEntry | undefined {
    return this.#byId.get(projectId)
  }

  byName(name: string): ProjectEntry | undefined {
    return this.#byName.get(name)
  }

  list(accountId?: Sfid): ProjectEntry[] {
    return [...this.#byKey.values()].filter((entry) => accountId === undefined || entry.accountId === accountId)
  }

  /** Writes a project down before anything of it exists. @returns false when its name is taken */
  reserve(entry: ProjectEntry): boolean {
    const { key, projectId, accountId, name, createdMs } = entry
    const { changes } = this.#control
      .prepare(
        "INSERT INTO project (key, project_id, account_id, name, state, created_ms) VALUES (?, ?, ?, ?, 'creating', ?) ON CONFLICT DO NOTHING",
      )
      .run(key, projectId, accountId, name, createdMs)
    return changes === 1
  }

  setState(key: ProjectKey, state: RegistryState): void {
    this.#control.prepare('UPDATE project SET state = ? WHERE key = ?').run(state, key)
  }

  /** Notes that a project works, before it does: after a crash its outbox and the end of its history are looked at. */
  markWorked(key: ProjectKey): void {
    this.#finished.delete(key)
    if (this.#marked.has(key)) return
    this.#control.prepare('UPDATE project SET worked = 1 WHERE key = ?').run(key)
    this.#marked.add(key)
  }

  /**
   * Notes that a project was closed with nothing left to do. Written together with others, a while later: if a crash comes
   * before, the project is looked at in vain.
   */
  markFinished(key: ProjectKey): void {
    if (!this.#marked.has(key)) return
    this.#finished.add(key)
    this.#timer ??= setTimeout(() => this.flush(), finishedRestMs).unref()
  }

  /** Writes what waits to be written; to be called before the control file is closed. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#finished.size === 0 || !this.#control.isOpen) return
    try {
      this.#unmarkFinished()
    } catch {
      // On a full disk the marks stay, which costs no more than a look at the next start.
    }
    this.#finished.clear()
  }

  #unmarkFinished(): void {
    const unmark = this.#control.prepare('UPDATE project SET worked = 0 WHERE key = ?')
    this.atomically(() => {
      for (const key of this.#finished) unmark.run(key)
    })
    for (const key of this.#finished) this.#marked.delete(key)
  }

  /** Projects that worked and may have left something undone. */
  worked(): ProjectKey[] {
    const keys = this.#control
      .prepare('SELECT key FROM project WHERE worked = 1')
      .all()
      .map((row) => row.key as ProjectKey)
    for (const key of keys) this.#marked.add(key)
    return keys
  }

  /** Makes a project visible. */
  remember(entry: ProjectEntry): void {
    this.#byKey.set(entry.key, entry)
    this.#byId.set(entry.projectId, entry)
    this.#byName.set(entry.name, entry)
  }

  /** Makes a project invisible; its row stays until {@link erase}. */
  forget(entry: ProjectEntry): void {
    this.#byKey.delete(entry.key)
    this.#byId.delete(entry.projectId)
    this.#byName.delete(entry.name)
  }

  /** Removes the row and all that refers to it. */
  erase(key: ProjectKey): void {
    this.#marked.delete(key)
    this.#finished.delete(key)
    this.#control.prepare('DELETE FROM project WHERE key = ?').run(key)
  }

  /** Follows changes of a definition: ids of applets, instances, strategies and publishers to their project. */
  index(key: ProjectKey, changes: readonly DefinitionChange[]): void {
    const insert = this.#control.prepare(
      'INSERT INTO project_object (kind, id, project) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
    )
    const remove = this.#control.prepare('DELETE FROM project_object WHERE kind = ? AND id = ?')
    for (const { kind, id, value } of changes) {
      if (!located.has(kind)) continue
      if (value === null) remove.run(kind, id)
      else insert.run(kind, id, key)
    }
  }

  clearObjects(key: ProjectKey): void {
    this.#control.prepare('DELETE FROM project_object WHERE project = ?').run(key)
    this.#control.prepare('DELETE FROM publisher_token WHERE project = ?').run(key)
  }

  /** Ids of a project's devices. */
  publishers(key: ProjectKey): Sfid[] {
    return this.#control
      .prepare("SELECT id FROM project_object WHERE project = ? AND kind = 'publisher'")
      .all(key)
      .map((row) => row.id as Sfid)
  }

  /** Devices of each project that has some. */
  publisherCounts(): { key: ProjectKey; count: number }[] {
    const rows = this.#control
      .prepare("SELECT project, count(*) AS count FROM project_object WHERE kind = 'publisher' GROUP BY project")
      .all()
    return rows.map((row) => ({ key: row.project as ProjectKey, count: Number(row.count) }))
  }

  /** Projects that have something of a kind. */
  having(kind: LocatedKind): ProjectKey[] {
    return this.#control
      .prepare('SELECT DISTINCT project FROM project_object WHERE kind = ?')
      .all(kind)
      .map((row) => row.project as ProjectKey)
  }

  locate(kind: LocatedKind, id: Sfid): ProjectKey | undefined {
    const row = this.#control.prepare('SELECT project FROM project_object WHERE kind = ? AND id = ?').get(kind, id)
    return row?.project as ProjectKey | undefined
  }

  /** Runs `work` as one transaction of the control file. */
  atomically(work: () => void): void {
    this.#control.exec('BEGIN IMMEDIATE')
    try {
      work()
      this.#control.exec('COMMIT')
    } catch (error) {
      // On a full disk SQLite may have rolled back by itself.
      if (this.#control.isTransaction) this.#control.exec('ROLLBACK')
      throw error
    }
  }
}

const located = new Set<string>([
  'applet',
  'instance',
  'strategy',
  'publisher',
  'cronJob',
  'trafficLimit',
] satisfies LocatedKind[])

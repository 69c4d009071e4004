import { DatabaseError } from '../../database/errors.ts'
import type { ChangeResult, ProjectChange, ProjectDefinition } from '../definition.ts'
import { type DefinitionChange, definitionKinds, singleId } from '../definition-rows.ts'
import { type Accepted, Application, type ChangeContext, type MaybePromise, Refused } from './application.ts'
import { changeHandlers } from './handlers.ts'

/** Kinds of which a project has many, and which are held in memory. */
type ListedKind = 'applet' | 'instance' | 'strategy' | 'cronJob' | 'trafficLimit'

/**
 * Applies changes to a definition, deterministically: same history, same definition, same ids. Used by every member, so
 * nothing here may depend on this node.
 */
export class DefinitionEditor {
  readonly #base: ProjectDefinition | undefined
  readonly #changes = new Map<string, DefinitionChange>()
  /** The rows of a kind as they stand now, once they were asked for: reading them anew for each change would take long. */
  readonly #rows = new Map<string, Map<string, unknown>>()
  /** What each write of the change that is being applied took the place of. */
  #undo: { readonly key: string; readonly before: DefinitionChange | undefined }[] = []
  #touched = false

  constructor(base: ProjectDefinition | undefined) {
    this.#base = base
  }

  /** All rows that were written or removed, in the order of their first change. */
  get changes(): readonly DefinitionChange[] {
    return [...this.#changes.values()]
  }

  /** Applies a change, whole or not at all. Only faults of the store are thrown. */
  async apply(change: ProjectChange, context: ChangeContext): Promise<ChangeResult> {
    this.#undo = []
    try {
      return await applyOne(new Application(this, context), change)
    } catch (error) {
      this.#revert()
      if (error instanceof Refused) return { ok: false, code: error.code, desc: error.message }
      if (error instanceof DatabaseError && isSchemaFault(error)) return { ok: false, ...schemaRefusal(error) }
      throw error
    }
  }

  /** Whether the definition in memory has changed since this was last asked; changes of publishers do not count. */
  takeTouched(): boolean {
    const touched = this.#touched
    this.#touched = false
    return touched
  }

  put(kind: string, id: string, value: unknown): void {
    this.#write({ kind, id, value: JSON.stringify(value) })
    // As it will be read from the store: without fields that are undefined.
    this.#rows.get(kind)?.set(id, JSON.parse(this.changed(kind, id)!.value!))
  }

  remove(kind: string, id: string): void {
    this.#write({ kind, id, value: null })
    this.#rows.get(kind)?.delete(id)
  }

  #write(change: DefinitionChange): void {
    const { kind, id } = change
    if ((definitionKinds as readonly string[]).includes(kind)) this.#touched = true
    const key = `${kind}/${id}`
    this.#undo.push({ key, before: this.#changes.get(key) })
    this.#changes.set(key, change)
  }

  #revert(): void {
    for (const { key, before } of this.#undo.reverse())
      if (before) this.#changes.set(key, before)
      else this.#changes.delete(key)
    this.#rows.clear()
  }

  /** The changed row; `undefined` when this batch did not touch it. */
  changed(kind: string, id: string): DefinitionChange | undefined {
    return this.#changes.get(`${kind}/${id}`)
  }

  /** The rows of one kind as they stand now, with those of the base. */
  all<T>(kind: ListedKind): T[] {
    return [...this.#rowsOf(kind).values()] as T[]
  }

  /** The first row of a kind for which `test` holds. */
  find<T>(kind: ListedKind, test: (row: T) => boolean): T | undefined {
    for (const row of this.#rowsOf(kind).values()) if (test(row as T)) return row as T
    return undefined
  }

  /** How many {@link all} has. */
  count(kind: ListedKind): number {
    return this.#rowsOf(kind).size
  }

  #rowsOf(kind: ListedKind): Map<string, unknown> {
    const known = this.#rows.get(kind)
    if (known) return known
    const maps = {
      applet: this.#base?.applets,
      instance: this.#base?.instances,
      strategy: this.#base?.strategies,
      cronJob: this.#base?.cronJobs,
      trafficLimit: this.#base?.trafficLimits,
    }
    const rows = new Map<string, unknown>(maps[kind] ?? [])
    for (const change of this.#changes.values())
      if (change.kind === kind)
        if (change.value === null) rows.delete(change.id)
        else rows.set(change.id, JSON.parse(change.value))
    this.#rows.set(kind, rows)
    return rows
  }

  single<T>(kind: 'project' | 'settings' | 'database'): T | undefined {
    const change = this.changed(kind, singleId)
    if (change) return change.value === null ? undefined : (JSON.parse(change.value) as T)
    return this.#base?.[kind] as T | undefined
  }
}

async function applyOne(application: Application, change: ProjectChange): Promise<Accepted> {
  if (change.op !== 'project.create' && change.op !== 'all' && !application.editor.single('project'))
    throw new Refused('ProjectNotFound', 'the project does not exist at this height')
  if (change.op === 'all') {
    const values: ChangeResult[] = []
    for (const one of change.changes) values.push(await applyOne(application, one))
    return { ok: true, values }
  }
  // An older member must refuse what a newer one wrote, not stop at it.
  if (!Object.hasOwn(changeHandlers, change.op))
    throw new Refused('badRequest', `unknown change ${String((change as { op: unknown }).op)}`)
  // The table holds for each `op` the handler of its change; the union of both cannot express that.
  const handler = changeHandlers[change.op] as (
    application: Application,
    change: ProjectChange,
  ) => MaybePromise<Accepted>
  return handler(application, change)
}

function isSchemaFault(error: DatabaseError): boolean {
  return error.code === 'SCHEMA_INVALID' || error.code === 'SCHEMA_DESTRUCTIVE'
}

function schemaRefusal({ fault }: DatabaseError): { code: string; desc: string } {
  if (fault.code === 'SCHEMA_DESTRUCTIVE') return { code: 'DestructiveSchemaChange', desc: fault.problems.join('; ') }
  return { code: 'InvalidDatabaseSchema', desc: fault.code === 'SCHEMA_INVALID' ? fault.problems.join('; ') : '' }
}

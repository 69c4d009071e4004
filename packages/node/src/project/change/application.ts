import { deriveSfid, type Sfid } from '@w3bstream/protocol'
import type { DatabaseSchema, DefinitionRow } from '../../database/database.ts'
import type { ChangeResult, ProjectChange } from '../definition.ts'
import { type definitionKinds, singleId } from '../definition-rows.ts'
import type { Flow } from '../flow.ts'
import type { DefinitionEditor } from './editor.ts'

export type MaybePromise<T> = T | Promise<T>

/** A change that was accepted. */
export type Accepted = Extract<ChangeResult, { ok: true }>

/** The change with that `op`. */
export type Change<Op extends ProjectChange['op']> = Extract<ProjectChange, { op: Op }>

/** How each kind of change is applied: one entry for every `op`. A handler refuses by throwing {@link Refused}. */
export type ChangeHandlers<Op extends ProjectChange['op']> = {
  readonly [O in Op]: (application: Application, change: Change<O>) => MaybePromise<Accepted>
}

/** What a change is applied to, and where in the history it stands. */
export interface ChangeContext {
  readonly project: Uint8Array
  readonly height: bigint
  readonly index: number
  /** The batch's clock. */
  readonly timeMs: number
  /** Reads a row that is on disk; rows changed in this batch are known to the editor. */
  read(kind: string, id: string): MaybePromise<DefinitionRow | undefined>
  /** Brings the applets' tables to the schema. */
  migrate(schema: DatabaseSchema): MaybePromise<void>
  /** What is wrong with a flow in a project of these tables. */
  flowProblems(flow: Flow | null, database: DatabaseSchema): readonly string[]
}

/** A change that was refused; the message's receipt carries it. */
export class Refused extends Error {
  readonly code: string
  constructor(code: string, desc: string) {
    super(desc)
    this.code = code
  }
}

/** One message's change, which may consist of many: what its handlers read and write. */
export class Application {
  readonly editor: DefinitionEditor
  readonly context: ChangeContext
  #ordinal = 0

  constructor(editor: DefinitionEditor, context: ChangeContext) {
    this.editor = editor
    this.context = context
  }

  /** An id that no other thing has: it derives from the place in the history. */
  id(kind: string): Sfid {
    const { project, height, index } = this.context
    return deriveSfid(project, kind, height, index, this.#ordinal++)
  }

  /** Times of a new row. */
  get stamp(): { createdMs: number; updatedMs: number } {
    return { createdMs: this.context.timeMs, updatedMs: this.context.timeMs }
  }

  /** Writes the row of a kind that occurs once. */
  put(kind: (typeof definitionKinds)[number], value: unknown): Accepted {
    this.editor.put(kind, singleId, value)
    return { ok: true, value }
  }

  /** A row as it stands now, also of kinds that are not held in memory. */
  async row<T>(kind: string, id: string): Promise<T | undefined> {
    const changed = this.editor.changed(kind, id)
    const value = changed ? changed.value : (await this.context.read(kind, id))?.value
    return value === null || value === undefined ? undefined : (JSON.parse(value) as T)
  }
}

/** The value, or a refusal with the code. */
export function found<T>(value: T | undefined, code: string, id: string): T {
  if (value === undefined) throw new Refused(code, id)
  return value
}

/** Only the fields that were given. */
export function given<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>
}

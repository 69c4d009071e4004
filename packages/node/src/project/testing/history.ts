import type { ChangeContext } from '../change/application.ts'
import { DefinitionEditor } from '../change/editor.ts'
import type { ChangeResult, ProjectChange, ProjectDefinition } from '../definition.ts'
import { applyRows, definitionFromRows } from '../definition-rows.ts'

/** A project whose history is the changes it is given, one a message. */
export class History {
  definition: ProjectDefinition | undefined
  readonly rows = new Map<string, string>()
  #height = 0n

  async apply(change: ProjectChange, over: Partial<ChangeContext> = {}): Promise<ChangeResult> {
    const editor = new DefinitionEditor(this.definition)
    const result = await editor.apply(change, {
      project: new Uint8Array(32).fill(1),
      height: ++this.#height,
      index: 0,
      timeMs: Number(this.#height) * 1000,
      read: (kind, id) => {
        const value = this.rows.get(`${kind}/${id}`)
        return value === undefined ? undefined : { kind, id, value }
      },
      migrate: () => {},
      flowProblems: () => [],
      ...over,
    })
    for (const { kind, id, value } of editor.changes)
      if (value === null) this.rows.delete(`${kind}/${id}`)
      else this.rows.set(`${kind}/${id}`, value)
    this.definition = applyRows(this.definition, editor.changes)
    return result
  }

  /** Reads the definition anew, from these rows only. */
  restart(keys: readonly string[]): void {
    for (const key of this.rows.keys()) if (!keys.includes(key)) this.rows.delete(key)
    const rows = [...this.rows].map(([key, value]) => {
      const [kind = '', ...id] = key.split('/')
      return { kind, id: id.join('/'), value }
    })
    this.definition = definitionFromRows(rows)
  }
}

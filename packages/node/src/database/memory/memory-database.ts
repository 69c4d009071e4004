import type { ProjectKey } from '@w3bstream/protocol'
import type { Database, ProjectReader, ProjectStore, StateEntry, StateExport } from '../database.ts'
import { DatabaseError } from '../errors.ts'
import { MemoryProject } from './project.ts'
import { exportState, importState } from './state-copy.ts'
import { MemoryReader, MemoryStore } from './store.ts'

/** A backend without durability that answers with promises: for trials, and for the parts that must bear waiting. */
export function openMemoryDatabase(): Database {
  return new MemoryDatabase()
}

class MemoryDatabase implements Database {
  readonly kind = 'memory'
  readonly #projects = new Map<ProjectKey, MemoryProject>()

  async openProject(project: ProjectKey): Promise<ProjectStore> {
    const found = this.#projects.get(project) ?? new MemoryProject()
    this.#projects.set(project, found)
    return new MemoryStore(found)
  }

  async openReader(project: ProjectKey): Promise<ProjectReader> {
    const found = this.#projects.get(project)
    if (!found) throw new DatabaseError({ code: 'STORE_NOT_FOUND', project })
    return new MemoryReader(found)
  }

  async exportState(project: ProjectKey): Promise<StateExport> {
    const found = this.#projects.get(project)
    if (!found) throw new DatabaseError({ code: 'STORE_NOT_FOUND', project })
    return exportState(project, found)
  }

  async importState(project: ProjectKey, entries: Iterable<StateEntry> | AsyncIterable<StateEntry>): Promise<void> {
    const height = this.#projects.get(project)?.state.batches.at(-1)?.height ?? 0n
    if (height > 0n) throw new DatabaseError({ code: 'STORE_NOT_EMPTY', project, height })
    this.#projects.set(project, await importState(project, entries))
  }

  async dropProject(project: ProjectKey): Promise<void> {
    this.#projects.get(project)?.db.close()
    this.#projects.delete(project)
  }
}

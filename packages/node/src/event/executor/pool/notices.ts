import type { ProjectKey } from '@w3bstream/protocol'
import type { Notice } from './wire.ts'

/** Notices that may not be on disk yet. Should the thread end, the next one is told them again. */
export class Notices {
  readonly #byProject = new Map<ProjectKey, { readonly notice: Notice; readonly after: number }[]>()

  /** @param after number of the last request before it */
  add(notice: Notice, after: number): void {
    const kept = this.#byProject.get(notice.project)
    if (kept) kept.push({ notice, after })
    else this.#byProject.set(notice.project, [{ notice, after }])
  }

  /** In each project's order. */
  all(): Notice[] {
    return [...this.#byProject.values()].flat().map(({ notice }) => notice)
  }

  /** A batch is on disk, which took the notices before it along. @param request the number of the batch's request */
  written(project: ProjectKey, request: number): void {
    const rest = this.#byProject.get(project)?.filter(({ after }) => after >= request)
    if (rest?.length) this.#byProject.set(project, rest)
    else this.#byProject.delete(project)
  }

  take(project: ProjectKey): Notice[] {
    const own = (this.#byProject.get(project) ?? []).map(({ notice }) => notice)
    this.#byProject.delete(project)
    return own
  }

  forget(project: ProjectKey): void {
    this.#byProject.delete(project)
  }
}

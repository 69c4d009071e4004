import { statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { dirname, extname, join, resolve } from 'node:path'
import type { ProjectFile } from '../project-file/schema.ts'

/** Folder of example events beside the project file and in applets. */
const eventsFolder = 'events'

/** Which files a project is made of, besides the sources of its modules, and which have events to send. */
export class ProjectFiles {
  /** Absolute path of the project file. */
  readonly path: string
  readonly #events: readonly string[]
  /** As it was read last; undefined while it cannot be read. */
  content: ProjectFile | undefined

  /** @param events files and folders that the caller named, absolute */
  constructor(path: string, events: readonly string[]) {
    this.path = path
    this.#events = events
  }

  /** The project file and the assets. */
  get parts(): readonly string[] {
    return [this.path, ...this.#assets()]
  }

  /** Whether the file has events to send when it is saved. */
  hasEvents(file: string): boolean {
    if (this.#events.includes(file)) return true
    return extname(file) === '.json' && this.#eventFolders().includes(dirname(file)) && isKind(file, 'file')
  }

  /** The files that are sent at the beginning: those that the caller named, and all of the folders that the caller named. */
  async firstEvents(): Promise<readonly string[]> {
    const lists = this.#events.map(async (path) => {
      if (!isKind(path, 'folder')) return [path]
      const names = (await readdir(path)).filter((name) => extname(name) === '.json')
      return names.sort().map((name) => join(path, name))
    })
    return (await Promise.all(lists)).flat()
  }

  directories(): readonly string[] {
    const named = this.#events.filter((path) => !isKind(path, 'folder'))
    const files = [this.path, ...this.#assets(), ...named].map((file) => dirname(file))
    return [...files, ...this.#eventFolders()]
  }

  #eventFolders(): readonly string[] {
    const sources = this.content?.applets?.flatMap(({ source }) =>
      source === undefined ? [] : [this.#resolve(source)],
    )
    const folders = [dirname(this.path), ...(sources ?? [])].map((folder) => join(folder, eventsFolder))
    return [...folders, ...this.#events].filter((folder) => isKind(folder, 'folder'))
  }

  #assets(): readonly string[] {
    return Object.values(this.content?.assets ?? {}).map((file) => this.#resolve(file))
  }

  #resolve(path: string): string {
    return resolve(dirname(this.path), path)
  }
}

function isKind(path: string, kind: 'file' | 'folder'): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  return kind === 'file' ? found?.isFile() === true : found?.isDirectory() === true
}

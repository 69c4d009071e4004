import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { ProjectKey } from '@w3bstream/protocol'
import type { Command } from 'commander'
import { openControlReader } from '../../database/control/control.ts'
import { databases } from '../../database/index.ts'
import { Snapshots, snapshotsDirectory } from '../../database/snapshot/snapshots.ts'
import { ProjectIndex } from '../../project/project-index.ts'
import { CliError } from '../errors.ts'
import type { CliIo } from '../io.ts'

export interface DataDirectoryOptions {
  readonly dataDir?: string
}

/** Adds the option of commands that read a node's directory instead of asking a node. */
export function withDataDirectory(command: Command): Command {
  return command.option('--data-dir <DIR>', "the node's directory (default: W3BSTREAM_DATA_DIR, or ./w3bstream-data)")
}

/** The directory of a node, read beside the node or without one. */
export class DataDirectory {
  readonly path: string

  /** @throws CliError CLI_FILE when no node has used it */
  constructor(io: CliIo, options: DataDirectoryOptions) {
    this.path = resolve(io.cwd, options.dataDir ?? (io.env.W3BSTREAM_DATA_DIR || 'w3bstream-data'))
    if (!existsSync(join(this.path, 'control.db')))
      throw new CliError({ code: 'CLI_FILE', file: this.path, detail: 'no data directory of a node; see --data-dir' })
  }

  get vfs(): string {
    return join(this.path, 'vfs')
  }

  database() {
    return databases.sqlite({ directory: join(this.path, 'projects') })
  }

  snapshots(): Snapshots {
    return new Snapshots(snapshotsDirectory(this.path), this.database())
  }

  /**
   * A project by its id, its full name, or its name without the account.
   * @throws CliError CLI_NOT_FOUND; CLI_USAGE when several accounts have one of that name
   */
  project(name: string): ProjectKey {
    const control = openControlReader(join(this.path, 'control.db'))
    try {
      const index = new ProjectIndex(control)
      index.load()
      const all = index.list()
      const found = all.filter((entry) => entry.key === name || entry.name === name)
      const matching = found.length > 0 ? found : all.filter((entry) => shortName(entry.name) === name)
      const [only, ...more] = matching
      if (!only) throw new CliError({ code: 'CLI_NOT_FOUND', what: 'project', name })
      if (more.length === 0) return only.key
      const names = matching.map((entry) => entry.name).join(', ')
      throw new CliError({ code: 'CLI_USAGE', detail: `several projects are called ${name}: ${names}` })
    } finally {
      control.close()
    }
  }
}

/** Full names begin with the account's id: `aid_<id>_`. */
function shortName(name: string): string {
  return name.replace(/^aid_\d+_/, '')
}

import { resolve } from 'node:path'
import { SnapshotFile } from '../../../database/snapshot/read-snapshot.ts'
import { lockDirectory } from '../../../node/data-directory.ts'
import { createContext, withJson } from '../../context.ts'
import { examples, type Register } from '../../define.ts'
import type { DataDirectoryOptions } from '../../offline/data-directory.ts'
import { DataDirectory, withDataDirectory } from '../../offline/data-directory.ts'
import { headerText, shownHeader } from './shown.ts'

export const registerSnapshotRestore: Register = (parent, io) => {
  withJson(withDataDirectory(parent.command('restore')))
    .description('make the lost store of a project of a snapshot; the node must not run')
    .argument('<file>', 'snapshot file')
    .addHelpText(
      'after',
      `\nThe project goes on behind the snapshot's height. Messages and receipts up to there, and effects that were not yet\ncarried out, are not in a snapshot. A store that has batches is never overwritten.\n${examples(
        ['w3bstream snapshot restore 12-0x5b1e….w3bsnap', "into DIR/projects, under the project's own id"],
      )}`,
    )
    .action(async (file: string, { json, ...options }: DataDirectoryOptions & { json?: boolean }) => {
      const directory = new DataDirectory(io, options)
      const path = resolve(io.cwd, file)
      const snapshot = await SnapshotFile.open(path)
      const project = directory.project(snapshot.header.project)
      await snapshot.close()
      const unlock = await lockDirectory(directory.path)
      try {
        const header = await directory.snapshots().restore(project, path)
        createContext(io, { json }).print({ restored: true, ...shownHeader(header) }, () => headerText(header))
      } finally {
        await unlock()
      }
    })
}

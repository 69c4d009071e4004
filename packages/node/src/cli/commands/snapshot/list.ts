import { createContext, withJson } from '../../context.ts'
import { examples, type Register } from '../../define.ts'
import type { DataDirectoryOptions } from '../../offline/data-directory.ts'
import { DataDirectory, withDataDirectory } from '../../offline/data-directory.ts'
import { table } from '../../output.ts'

export const registerSnapshotList: Register = (parent, io) => {
  withJson(withDataDirectory(parent.command('list')))
    .description('list the snapshots of a project, highest first')
    .argument('<project>', 'name or id of the project')
    .addHelpText('after', examples(['w3bstream snapshot list weather', 'height, digest, size and file of each']))
    .action(async (name: string, { json, ...options }: DataDirectoryOptions & { json?: boolean }) => {
      const directory = new DataDirectory(io, options)
      const found = await directory.snapshots().list(directory.project(name))
      const rows = found.map(({ height, ...rest }) => ({ height: String(height), ...rest }))
      createContext(io, { json }).print(rows, () =>
        rows.length === 0
          ? 'no snapshots'
          : table(
              io,
              ['HEIGHT', 'BYTES', 'DIGEST', 'FILE'],
              rows.map(({ height, bytes, digest, file }) => [height, String(bytes), digest, file]),
            ),
      )
    })
}

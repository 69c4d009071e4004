import { createContext, withJson } from '../../context.ts'
import { examples, type Register } from '../../define.ts'
import type { DataDirectoryOptions } from '../../offline/data-directory.ts'
import { DataDirectory, withDataDirectory } from '../../offline/data-directory.ts'
import { headerText, shownHeader } from './shown.ts'

export const registerSnapshotCreate: Register = (parent, io) => {
  withJson(withDataDirectory(parent.command('create')))
    .description("write a project's last state down; the node may be running")
    .argument('<project>', 'name or id of the project')
    .addHelpText(
      'after',
      examples(
        ['w3bstream snapshot create weather', 'into DIR/snapshots/<project id>/'],
        ['w3bstream snapshot create weather --data-dir /var/lib/w3bstream --json', 'for a script'],
      ),
    )
    .action(async (name: string, { json, ...options }: DataDirectoryOptions & { json?: boolean }) => {
      const directory = new DataDirectory(io, options)
      const { file, header } = await directory.snapshots().create(directory.project(name))
      createContext(io, { json }).print(
        { file, ...shownHeader(header) },
        () => `${headerText(header)}\nfile    ${file}`,
      )
    })
}

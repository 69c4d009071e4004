import { withNode } from '../../context.ts'
import { action, examples, type Register } from '../../define.ts'
import { table } from '../../output.ts'
import { allRows, type ProjectRow } from '../../rows.ts'

export const registerList: Register = (parent, io) => {
  withNode(parent.command('list'))
    .description('list your projects')
    .addHelpText(
      'after',
      examples(
        ['w3bstream project list', 'as a table'],
        ["w3bstream project list --json | jq -r '.data[].name'", 'names only'],
      ),
    )
    .action(
      action(io, async (context) => {
        const data = await allRows<ProjectRow>(await context.api(), '/project/datalist')
        context.print({ data, total: data.length }, () =>
          data.length === 0
            ? 'no projects yet; "w3bstream init" makes one'
            : table(
                io,
                ['NAME', 'ID', 'CREATED', 'DESCRIPTION'],
                data.map((row) => [row.name, row.projectID, row.createdAt, row.description ?? '']),
              ),
        )
      }),
    )
}

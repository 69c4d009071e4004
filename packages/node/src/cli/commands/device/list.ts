import { type CommonOptions, withNode } from '../../context.ts'
import { action, examples, type Register } from '../../define.ts'
import { table } from '../../output.ts'
import { allRows, type PublisherRow, projectPath } from '../../rows.ts'

interface Options extends CommonOptions {
  readonly project: string
  readonly tokens?: boolean
}

export const registerDeviceList: Register = (parent, io) => {
  withNode(parent.command('list'))
    .description('list the devices of a project')
    .requiredOption('-p, --project <NAME>', 'the project')
    .option('--tokens', 'show their tokens too')
    .addHelpText(
      'after',
      examples(
        ['w3bstream device list --project weather', 'as a table'],
        ['w3bstream device list -p weather --tokens --json', 'for a configuration tool'],
      ),
    )
    .action(
      action<Options>(io, async (context, { project, tokens }) => {
        const rows = await allRows<PublisherRow>(await context.api(), projectPath('/publisher', project))
        const data = tokens ? rows : rows.map(({ token: _, ...row }): PublisherRow => row)
        const headings = ['KEY', 'NAME', 'ID', 'SIGNS AS', ...(tokens ? ['TOKEN'] : [])]
        context.print({ data, total: data.length }, () =>
          data.length === 0
            ? `no devices yet; "w3bstream device add KEY --project ${project}" registers one`
            : table(
                io,
                headings,
                data.map((row) => [
                  row.key,
                  row.name,
                  row.publisherID,
                  row.publicKey || '-',
                  ...(tokens ? [row.token ?? ''] : []),
                ]),
              ),
        )
      }),
    )
}

import { withNode } from '../../context.ts'
import { action, examples, type Register } from '../../define.ts'
import { table } from '../../output.ts'
import { allRows, type OperatorRow } from '../../rows.ts'

export const registerOperatorList: Register = (parent, io) => {
  withNode(parent.command('list'))
    .description('list the operators of this account')
    .addHelpText('after', examples(['w3bstream operator list', 'names and addresses']))
    .action(
      action(io, async (context) => {
        const data = await allRows<OperatorRow>(await context.api(), '/operator/datalist')
        context.print({ data, total: data.length }, () =>
          data.length === 0
            ? 'no operators; "w3bstream operator add default" makes one'
            : table(
                io,
                ['NAME', 'ADDRESS', 'ID'],
                data.map(({ name, address, operatorID }) => [name, address, operatorID]),
              ),
        )
      }),
    )
}

import { confirmDestruction } from '../../ask.ts'
import { type CommonOptions, withNode } from '../../context.ts'
import { action, examples, type Register } from '../../define.ts'
import { CliError } from '../../errors.ts'
import { allRows, type OperatorRow } from '../../rows.ts'

interface Options extends CommonOptions {
  readonly yes?: boolean
}

export const registerOperatorRemove: Register = (parent, io) => {
  withNode(parent.command('remove'))
    .description('remove an operator with its key')
    .argument('<name>', 'its name')
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', examples(['w3bstream operator remove rain', 'asks first']))
    .action(
      action<Options>(io, async (context, { yes }, name) => {
        const api = await context.api()
        const rows = await allRows<OperatorRow>(api, '/operator/datalist')
        const operator = rows.find((row) => row.name === name)
        if (!operator) throw new CliError({ code: 'CLI_NOT_FOUND', what: 'operator', name })
        const loss = `The node forgets the key of ${name} (${operator.address}); what the address owns is lost without a copy.`
        await confirmDestruction(io, loss, yes)
        await api.delete(`/operator/data/${operator.operatorID}`)
        context.print({ name, operatorID: operator.operatorID, removed: true }, () => `removed operator ${name}`)
      }),
    )
}

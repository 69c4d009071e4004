import { confirmDestruction } from '../../ask.ts'
import { type CommonOptions, withNode } from '../../context.ts'
import { action, examples, type Register } from '../../define.ts'
import { findDevice } from '../../rows.ts'

interface Options extends CommonOptions {
  readonly project: string
  readonly yes?: boolean
}

export const registerRemove: Register = (parent, io) => {
  withNode(parent.command('remove'))
    .description('remove a device; its token stops working, also on open connections')
    .argument('<key>', 'its key')
    .requiredOption('-p, --project <NAME>', 'the project')
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', examples(['w3bstream device remove station-1 --project weather', 'asks first']))
    .action(
      action<Options>(io, async (context, { project, yes }, key) => {
        const api = await context.api()
        const device = await findDevice(api, project, key)
        await confirmDestruction(io, `Device ${key} will not be able to send any more.`, yes)
        await api.delete(`/publisher/data/${device.publisherID}`)
        context.print({ project, key, publisherID: device.publisherID, removed: true }, () => `removed device ${key}`)
      }),
    )
}

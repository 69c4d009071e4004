import { type CommonOptions, withNode } from '../../context.ts'
import { action, examples, type Register } from '../../define.ts'
import { findDevice, type PublisherRow, projectPath } from '../../rows.ts'

export const registerRotate: Register = (parent, io) => {
  withNode(parent.command('rotate'))
    .description('give a device a new token; the old one stops working at once')
    .argument('<key>', 'its key')
    .requiredOption('-p, --project <NAME>', 'the project')
    .addHelpText('after', examples(['w3bstream device rotate station-1 --project weather', 'prints the new token']))
    .action(
      action<CommonOptions & { project: string }>(io, async (context, { project }, key) => {
        const api = await context.api()
        const { publisherID } = await findDevice(api, project, key)
        const path = projectPath('/publisher', project, `/${publisherID}/rotate`)
        const device = await api.put<PublisherRow>(path)
        context.note(`device ${key} of ${project}, new token:`)
        context.print(device, () => device.token ?? '')
      }),
    )
}

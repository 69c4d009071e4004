import { confirmDestruction } from '../../ask.ts'
import { type CommonOptions, withNode } from '../../context.ts'
import { action, examples, type Register } from '../../define.ts'
import { projectPath } from '../../rows.ts'

export const registerDelete: Register = (parent, io) => {
  withNode(parent.command('delete'))
    .description('delete a project with its devices, state, receipts and logs')
    .argument('<project>', 'its name')
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      examples(
        ['w3bstream project delete weather', 'asks first'],
        ['w3bstream project delete weather --yes', 'for scripts'],
      ),
    )
    .action(
      action<CommonOptions & { yes?: boolean }>(io, async (context, { yes }, project) => {
        const api = await context.api()
        await confirmDestruction(io, `Everything of ${project} will be gone: state, receipts, devices.`, yes)
        await api.delete(projectPath('/project', project))
        context.print({ project, deleted: true }, () => `deleted project ${project}`)
      }),
    )
}

import { type CommonOptions, withNode } from '../../context.ts'
import { action, examples, type Register } from '../../define.ts'
import { findLimit, kindsText, parseKind, removeLimit } from './limits.ts'

interface Options extends CommonOptions {
  readonly project: string
}

export const registerTrafficRemove: Register = (parent, io) => {
  withNode(parent.command('remove'))
    .description('remove a traffic limit')
    .argument('<kind>', kindsText)
    .requiredOption('-p, --project <NAME>', "the project; for administrators also anybody's, by its full name")
    .addHelpText('after', examples(['w3bstream traffic remove device -p weather', 'devices send what they want']))
    .action(
      action<Options>(io, async (context, { project }, kind) => {
        const api = await context.api()
        const limit = await findLimit(api, project, parseKind(kind ?? ''))
        await removeLimit(api, project, limit)
        context.print({ project, ...limit, removed: true }, () => `removed the limit of ${limit.kind} of ${project}`)
      }),
    )
}

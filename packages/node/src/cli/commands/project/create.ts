import { type CommonOptions, withNode } from '../../context.ts'
import { action, examples, type Register } from '../../define.ts'
import type { ProjectRow } from '../../rows.ts'

interface Options extends CommonOptions {
  readonly description?: string
  readonly public?: boolean
}

export const registerCreate: Register = (parent, io) => {
  withNode(parent.command('create'))
    .description('create an empty project')
    .argument('<name>', 'a to z, 0 to 9 and _, at most 32 characters')
    .option('--description <TEXT>', 'what it is about')
    .option('--public', 'accept events without a token')
    .addHelpText(
      'after',
      examples(
        ['w3bstream project create weather', 'empty, to be filled by "project deploy"'],
        ['w3bstream project create open_data --public', 'anybody may send events'],
      ),
    )
    .action(
      action<Options>(io, async (context, { description, public: isPublic }, name) => {
        const api = await context.api()
        const project = await api.post<ProjectRow>('/project', { name, description, public: isPublic })
        context.print(project, () => `created project ${project.name} (id ${project.projectID})`)
      }),
    )
}

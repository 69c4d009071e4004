import { hashFromId } from '../../../util/content-id.ts'
import { withNode } from '../../context.ts'
import { action, examples, type Register } from '../../define.ts'
import { CliError } from '../../errors.ts'

export const registerVfsRm: Register = (parent, io) => {
  withNode(parent.command('rm'))
    .description('give up a file that this account uploaded; projects that deploy it keep it')
    .argument('<id>', 'its content id, or its SHA-256')
    .addHelpText(
      'after',
      examples(['w3bstream vfs rm bafkrei…', 'the next collection removes it, if nothing refers to it']),
    )
    .action(
      action(io, async (context, _options, id) => {
        if (id === undefined || hashFromId(id) === undefined)
          throw new CliError({ code: 'CLI_USAGE', detail: `${id} is neither a content id nor a SHA-256` })
        await (await context.api()).delete(`/file/${id}`)
        context.print({ released: id }, () => `gave up ${id}`)
      }),
    )
}

import { type CommonOptions, withNode } from '../../context.ts'
import { action, examples, type Register } from '../../define.ts'
import { findApplet, printRunning, type Running } from './version.ts'

export const registerPromote = ending('promote', 'run the canary of an applet for all devices')
export const registerAbort = ending('abort', 'end the canary of an applet; all devices get the version beside it')

function ending(verb: 'promote' | 'abort', description: string): Register {
  return (parent, io) => {
    withNode(parent.command(verb))
      .description(description)
      .argument('<applet>', 'its name')
      .requiredOption('-p, --project <NAME>', 'the project')
      .addHelpText(
        'after',
        examples([`w3bstream applet ${verb} station -p weather`, 'takes effect with the next batch']),
      )
      .action(
        action<CommonOptions & { project: string }>(io, async (context, { project }, name) => {
          const api = await context.api()
          const { appletId } = await findApplet(api, project, name)
          printRunning(context, name, await api.post<Running>(`/applet/${appletId}/${verb}`))
        }),
      )
  }
}

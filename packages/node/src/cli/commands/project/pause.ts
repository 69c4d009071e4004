import { withNode } from '../../context.ts'
import { action, examples, type Register } from '../../define.ts'
import { applyChanges } from '../../deploy/fetch-current.ts'

/** Both directions of one switch. */
function register(
  name: 'pause' | 'resume',
  state: 'paused' | 'active',
  description: string,
  meaning: string,
): Register {
  return (parent, io) => {
    withNode(parent.command(name))
      .description(description)
      .argument('<project>', 'its name')
      .addHelpText('after', examples([`w3bstream project ${name} weather`, meaning]))
      .action(
        action(io, async (context, _options, project) => {
          await applyChanges(await context.api(), project, [{ op: 'project.update', state }])
          context.print({ project, state }, () => `project ${project} is ${state}`)
        }),
      )
  }
}

export const registerPause = register(
  'pause',
  'paused',
  'refuse events until the project is resumed',
  'devices are answered ProjectPaused',
)
export const registerResume = register(
  'resume',
  'active',
  'accept events again',
  'nothing was lost meanwhile: nothing was accepted',
)

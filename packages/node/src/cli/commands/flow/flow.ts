import { examples, type Register } from '../../define.ts'
import { registerFlowStatus } from './status.ts'

export const registerFlow: Register = (parent, io) => {
  const group = parent.command('flow').description('the stream flow of a project')
  group.addHelpText('after', examples(['w3bstream flow status weather', 'windows that are open, and what was dropped']))
  registerFlowStatus(group, io)
}

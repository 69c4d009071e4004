import { examples, type Register } from '../../define.ts'
import { registerCreate } from './create.ts'
import { registerDelete } from './delete.ts'
import { registerDeploy } from './deploy.ts'
import { registerList } from './list.ts'
import { registerPause, registerResume } from './pause.ts'
import { registerShow } from './show.ts'

export const registerProject: Register = (parent, io) => {
  const group = parent.command('project').description('projects: create, deploy, look at, pause, delete')
  group.addHelpText(
    'after',
    examples(
      ['w3bstream project deploy', 'makes the project of w3bstream.yaml, or changes it'],
      ['w3bstream project list', 'what the node has'],
      ['w3bstream project show weather', 'routes, tables, devices of one'],
    ),
  )
  for (const register of [
    registerCreate,
    registerList,
    registerShow,
    registerDeploy,
    registerPause,
    registerResume,
    registerDelete,
  ])
    register(group, io)
}

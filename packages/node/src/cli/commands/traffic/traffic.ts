import { examples, type Register } from '../../define.ts'
import { registerTrafficList } from './list.ts'
import { registerTrafficRemove } from './remove.ts'
import { registerTrafficSet } from './set.ts'

export const registerTraffic: Register = (parent, io) => {
  const group = parent.command('traffic').description('how much a project and its devices may send')
  group.addHelpText(
    'after',
    examples(
      ['w3bstream traffic set device 100 --per 1m -p weather', 'each device a hundred events a minute'],
      ['w3bstream traffic list -p weather', 'the limits that apply'],
    ),
  )
  for (const register of [registerTrafficList, registerTrafficSet, registerTrafficRemove]) register(group, io)
}

import { examples, type Register } from '../../define.ts'
import { registerAdd } from './add.ts'
import { registerDeviceList } from './list.ts'
import { registerRemove } from './remove.ts'
import { registerRotate } from './rotate.ts'

export const registerDevice: Register = (parent, io) => {
  const group = parent.command('device').description('devices of a project and their tokens')
  group.addHelpText(
    'after',
    examples(
      ['w3bstream device add station-1 --project weather', 'registers a device and prints its token'],
      ['w3bstream device list --project weather', 'who may publish'],
      ['w3bstream device rotate station-1 --project weather', 'a new token; the old one ends'],
    ),
  )
  for (const register of [registerAdd, registerDeviceList, registerRemove, registerRotate]) register(group, io)
}

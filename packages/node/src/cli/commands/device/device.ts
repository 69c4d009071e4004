import type { Register } from '../../define.ts'
import { registerAdd } from './add.ts'
import { registerDeviceList } from './list.ts'
import { registerRemove } from './remove.ts'
import { registerRotate } from './rotate.ts'

export const registerDevice: Register = (parent, io) => {
  const group = parent.command('device').description('devices of a project and their tokens')
  for (const register of [registerAdd, registerDeviceList, registerRemove, registerRotate]) register(group, io)
}

import type { Register } from '../../define.ts'
import { registerBuild } from './build.ts'
import { registerNew } from './new.ts'
import { registerTest } from './test.ts'

export const registerApplet: Register = (parent, io) => {
  const group = parent.command('applet').description('write, build and test applets in AssemblyScript')
  for (const register of [registerNew, registerBuild, registerTest]) register(group, io)
}

import { examples, type Register } from '../../define.ts'
import { registerBuild } from './build.ts'
import { registerNew } from './new.ts'
import { registerTest } from './test.ts'

export const registerApplet: Register = (parent, io) => {
  const group = parent.command('applet').description('write, build and test applets in AssemblyScript')
  group.addHelpText(
    'after',
    examples(
      ['w3bstream applet new station', 'an applet to begin with'],
      ['w3bstream applet test station', 'builds it and runs its tests'],
      ['w3bstream applet build station', 'makes station/build/station.wasm'],
    ),
  )
  for (const register of [registerNew, registerBuild, registerTest]) register(group, io)
}

import { examples, type Register } from '../../define.ts'
import { registerBuild } from './build.ts'
import { registerCanary } from './canary.ts'
import { registerAbort, registerPromote } from './end-canary.ts'
import { registerHistory } from './history.ts'
import { registerNew } from './new.ts'
import { registerRollback } from './rollback.ts'
import { registerTest } from './test.ts'

export const registerApplet: Register = (parent, io) => {
  const group = parent
    .command('applet')
    .description('applets: write, build and test in AssemblyScript; versions of those that run')
  group.addHelpText(
    'after',
    examples(
      ['w3bstream applet new station', 'an applet to begin with'],
      ['w3bstream applet test station', 'builds it and runs its tests'],
      ['w3bstream applet build station', 'makes station/build/station.wasm'],
      ['w3bstream applet history station -p weather', 'who deployed what when, and how it does'],
    ),
  )
  const making = [registerNew, registerBuild, registerTest]
  const running = [registerHistory, registerRollback, registerCanary, registerPromote, registerAbort]
  for (const register of [...making, ...running]) register(group, io)
}

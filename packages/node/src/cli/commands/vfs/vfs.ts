import { examples, type Register } from '../../define.ts'
import { registerVfsGc } from './gc.ts'
import { registerVfsGet } from './get.ts'
import { registerVfsLs } from './ls.ts'
import { registerVfsPut } from './put.ts'
import { registerVfsRm } from './rm.ts'

export const registerVfs: Register = (parent, io) => {
  const group = parent.command('vfs').description("the node's files: modules of applets, assets of projects")
  group.addHelpText(
    'after',
    examples(
      ['w3bstream vfs ls', 'all files with what they are kept for (administrators)'],
      ['w3bstream vfs gc --dry-run', 'what nothing refers to'],
    ),
  )
  for (const register of [registerVfsLs, registerVfsGet, registerVfsPut, registerVfsRm, registerVfsGc])
    register(group, io)
}

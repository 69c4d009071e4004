import { examples, type Register } from '../../define.ts'
import { registerSnapshotCreate } from './create.ts'
import { registerSnapshotList } from './list.ts'
import { registerSnapshotRestore } from './restore.ts'
import { registerSnapshotVerify } from './verify.ts'

export const registerSnapshot: Register = (parent, io) => {
  const group = parent
    .command('snapshot')
    .description("a project's state at one height, as a file that proves itself; read from the node's directory")
  group.addHelpText(
    'after',
    examples(
      ['w3bstream snapshot create weather', 'beside the running node, or without it'],
      ['w3bstream snapshot list weather', 'those there are, highest first'],
      ['w3bstream snapshot verify FILE', 'every hash and every entry'],
    ),
  )
  const registers = [registerSnapshotCreate, registerSnapshotList, registerSnapshotVerify, registerSnapshotRestore]
  for (const register of registers) register(group, io)
}

import { examples, type Register } from '../../define.ts'
import { registerOperatorAdd } from './add.ts'
import { registerOperatorList } from './list.ts'
import { registerOperatorRemove } from './remove.ts'

export const registerOperator: Register = (parent, io) => {
  const group = parent.command('operator').description("accounts on chains that send projects' transactions")
  group.addHelpText(
    'after',
    examples(
      ['w3bstream operator add default', 'makes a key and prints the address to fund'],
      ['w3bstream operator list', 'accounts with their addresses'],
    ),
  )
  for (const register of [registerOperatorAdd, registerOperatorList, registerOperatorRemove]) register(group, io)
}

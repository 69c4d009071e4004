import type { Register } from '../../define.ts'
import { registerOperatorAdd } from './add.ts'
import { registerOperatorList } from './list.ts'
import { registerOperatorRemove } from './remove.ts'

export const registerOperator: Register = (parent, io) => {
  const group = parent.command('operator').description("accounts on chains that send projects' transactions")
  for (const register of [registerOperatorAdd, registerOperatorList, registerOperatorRemove]) register(group, io)
}

import type { Register } from '../../define.ts'
import { registerReceiptShow } from './show.ts'
import { registerVerify } from './verify.ts'

export const registerReceipt: Register = (parent, io) => {
  const group = parent.command('receipt').description('receipts: what became of a message, provable to others')
  for (const register of [registerReceiptShow, registerVerify]) register(group, io)
}

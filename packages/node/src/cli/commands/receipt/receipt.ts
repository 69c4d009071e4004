import { examples, type Register } from '../../define.ts'
import { registerReceiptShow } from './show.ts'
import { registerVerify } from './verify.ts'

export const registerReceipt: Register = (parent, io) => {
  const group = parent.command('receipt').description('receipts: what became of a message, provable to others')
  group.addHelpText(
    'after',
    examples(
      ['w3bstream receipt show 0x5b1e… -p weather --out receipt.json', 'what became of a message, as a file'],
      ['w3bstream receipt verify receipt.json', 'checks the file without a node'],
    ),
  )
  for (const register of [registerReceiptShow, registerVerify]) register(group, io)
}

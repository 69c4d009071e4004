import { randomBytes } from 'node:crypto'
import { type CommonOptions, withNode } from '../../context.ts'
import { action, examples, type Register } from '../../define.ts'
import type { CliIo } from '../../io.ts'
import type { OperatorRow } from '../../rows.ts'

interface Options extends CommonOptions {
  readonly keyStdin?: boolean
}

export const registerOperatorAdd: Register = (parent, io) => {
  withNode(parent.command('add'))
    .description('give the node a key for transactions, a new one or yours, and print its address')
    .argument('<name>', 'its name; a project that names none uses "default"')
    .option('--key-stdin', 'read the private key from standard input, hexadecimal (default: a new one)')
    .addHelpText(
      'after',
      examples(
        ['w3bstream operator add default', 'a new key, which stays in the keystore of the node; fund its address'],
        ['w3bstream operator add rain --key-stdin < key.hex', 'one that you have'],
      ),
    )
    .action(
      action<Options>(io, async (context, { keyStdin }, name) => {
        const api = await context.api()
        const privateKey = keyStdin ? await readKey(io) : randomBytes(32).toString('hex')
        const operator = await api.post<OperatorRow>('/operator', { name, privateKey })
        context.note(`operator ${name}, address:`)
        context.print(operator, () => operator.address)
      }),
    )
}

/** Not an argument: those are seen by everyone on the machine, and remembered by the shell. */
async function readKey(io: CliIo): Promise<string> {
  return Buffer.from(await io.readInput(4096))
    .toString('utf8')
    .trim()
}

import { resolve } from 'node:path'
import type { Hex } from '@w3bstream/protocol'
import { createContext, withJson } from '../../context.ts'
import { examples, type Register } from '../../define.ts'
import { CliError } from '../../errors.ts'
import { verifyReceipt } from '../../verify-receipt.ts'

interface Options {
  readonly json?: boolean
  readonly member?: readonly string[]
}

export const registerVerify: Register = (parent, io) => {
  withJson(parent.command('verify'))
    .description('check a receipt file offline: hashes, Merkle paths, signatures')
    .argument('<file>', 'receipt file, as "receipt show --out" writes it')
    .option(
      '--member <ADDRESS>',
      'a member whose signature counts; repeatable (default: those the file names)',
      collect,
    )
    .addHelpText(
      'after',
      examples(
        ['w3bstream receipt verify receipt.json', 'exit code 0 when every check passed'],
        ['w3bstream receipt verify receipt.json --member 0x5aAe…', 'trusting this node only'],
      ),
    )
    .action(async (file: string, { json, member }: Options) => {
      const wrong = member?.find((address) => !/^0x[0-9a-fA-F]{40}$/.test(address))
      if (wrong !== undefined) throw new CliError({ code: 'CLI_USAGE', detail: `--member ${wrong} is not an address` })
      const checks = await verifyReceipt(resolve(io.cwd, file), member as readonly Hex[] | undefined)
      const failed = checks.filter(({ passed }) => !passed).map(({ name }) => name)
      const valid = failed.length === 0
      createContext(io, { json }).print({ valid, checks }, () =>
        checks
          .map(
            ({ name, passed, detail }) =>
              `${passed ? io.style('green', '✓') : io.style('red', '✗')} ${name}: ${detail}`,
          )
          .join('\n'),
      )
      if (!valid)
        throw new CliError({
          code: 'CLI_CHECK_FAILED',
          detail: `the receipt does not hold: ${failed.join(', ')}`,
          failed,
        })
    })
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

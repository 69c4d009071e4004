import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { hashFromId } from '../../../util/content-id.ts'
import { withNode } from '../../context.ts'
import { action, examples, type Register } from '../../define.ts'
import { CliError } from '../../errors.ts'

export const registerVfsGet: Register = (parent, io) => {
  withNode(parent.command('get'))
    .description('save a file of the node; for administrators')
    .argument('<id>', 'its content id, or its SHA-256 as receipts show it')
    .argument('[file]', 'where to (default: a file of this name here)')
    .addHelpText(
      'after',
      examples(
        ['w3bstream vfs get bafkrei… model.bin', 'saves it as model.bin'],
        ['w3bstream vfs get 0x1f5e…', 'a module by the code hash of a receipt'],
      ),
    )
    .action(
      action(io, async (context, _options, id, given) => {
        if (id === undefined || hashFromId(id) === undefined)
          throw new CliError({ code: 'CLI_USAGE', detail: `${id} is neither a content id nor a SHA-256` })
        const file = resolve(io.cwd, given ?? id)
        const bytes = await (await context.api()).download(`/vfs/data/${id}`)
        await save(file, bytes)
        context.print({ file, size: bytes.length }, () => `${file}: ${bytes.length} bytes`)
      }),
    )
}

/** @throws CliError CLI_FILE, also when there is a file of this name already */
async function save(file: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFile(file, bytes, { flag: 'wx' })
  } catch (error) {
    throw new CliError({ code: 'CLI_FILE', file, detail: (error as Error).message }, { cause: error })
  }
}

import { basename, resolve } from 'node:path'
import { withNode } from '../../context.ts'
import { action, examples, type Register } from '../../define.ts'
import { readBinary } from '../../load-module.ts'

interface FileRow {
  readonly cid: string
  readonly hash: string
  readonly size: number
}

export const registerVfsPut: Register = (parent, io) => {
  withNode(parent.command('put'))
    .description('upload a file as one of this account, and print its content id')
    .argument('<file>', 'what to upload')
    .addHelpText(
      'after',
      examples(
        ['w3bstream vfs put model.bin', 'its content id, for an asset of a project'],
        ['w3bstream vfs put model.bin --json', 'with hash and size'],
      ),
    )
    .action(
      action(io, async (context, _options, file = '') => {
        const path = resolve(io.cwd, file)
        const form = new FormData()
        form.append('file', new Blob([new Uint8Array(await readBinary(path))]), basename(path))
        const api = await context.api()
        context.print(await api.request<FileRow>('POST', '/file', { body: form }), ({ cid }) => cid)
      }),
    )
}

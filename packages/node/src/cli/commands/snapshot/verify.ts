import { resolve } from 'node:path'
import { verifySnapshot } from '../../../database/snapshot/snapshots.ts'
import { createContext, withJson } from '../../context.ts'
import { examples, type Register } from '../../define.ts'
import { headerText, shownHeader } from './shown.ts'

export const registerSnapshotVerify: Register = (parent, io) => {
  withJson(parent.command('verify'))
    .description('read a snapshot whole: its name, every hash, the form and order of every entry')
    .argument('<file>', 'snapshot file')
    .addHelpText(
      'after',
      examples([
        'w3bstream snapshot verify 12-0x5b1e….w3bsnap',
        'exit code 0 when it holds; compare the digest with one you trust',
      ]),
    )
    .action(async (file: string, { json }: { json?: boolean }) => {
      const { header, chunks, entries } = await verifySnapshot(resolve(io.cwd, file))
      createContext(io, { json }).print(
        { valid: true, ...shownHeader(header), chunks, entries },
        () => `${headerText(header)}\n${io.style('green', '✓')} ${entries} entries in ${chunks} chunks`,
      )
    })
}

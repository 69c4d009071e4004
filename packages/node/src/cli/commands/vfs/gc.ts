import { type CommonOptions, withNode } from '../../context.ts'
import { action, examples, type Register } from '../../define.ts'
import { CliError } from '../../errors.ts'
import { table } from '../../output.ts'
import { type StoredRow, sizeText, type Usage, usageText } from './stored.ts'

interface Options extends CommonOptions {
  readonly dryRun?: boolean
  readonly graceHours?: string
}

interface Collection {
  readonly files: number
  readonly bytes: number
  readonly young: number
  readonly removed: readonly StoredRow[]
  readonly usage: Usage
}

export const registerVfsGc: Register = (parent, io) => {
  withNode(parent.command('gc'))
    .description('remove the files that nothing refers to, as the node does daily; for administrators')
    .option('--dry-run', 'tell what would be removed, and remove nothing')
    .option('--grace-hours <HOURS>', 'keep files that were uploaded less than so long ago (default: 24)')
    .addHelpText(
      'after',
      examples(
        ['w3bstream vfs gc --dry-run', 'what would go'],
        ['w3bstream vfs gc --grace-hours 1', 'frees the disk of what was uploaded and given up today, too'],
      ),
    )
    .action(
      action<Options>(io, async (context, { dryRun, graceHours }) => {
        const api = await context.api()
        const collection = await api.post<Collection>('/vfs/gc', { dryRun, graceMs: graceMs(graceHours) })
        context.print(collection, (found) => {
          const rows = found.removed.map(({ cid, size, putAt }) => [cid, sizeText(size), putAt])
          const verb = dryRun ? 'would be removed' : 'removed'
          const summary = `${found.files} files, ${sizeText(found.bytes)} ${verb}`
          return rows.length === 0 ? summary : `${table(io, ['CID', 'SIZE', 'PUT'], rows)}\n${summary}`
        })
        if (collection.young > 0) context.note(`${collection.young} files are too young`)
        context.note(usageText(collection.usage))
      }),
    )
}

/** @throws CliError CLI_USAGE */
function graceMs(hours: string | undefined): number | undefined {
  if (hours === undefined) return undefined
  const value = Number(hours)
  if (hours.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new CliError({ code: 'CLI_USAGE', detail: `--grace-hours wants a number of hours, not ${hours}` })
  return Math.round(value * 3_600_000)
}

import type { ApiClient } from '../../api-client.ts'
import { withNode } from '../../context.ts'
import { action, examples, type Register } from '../../define.ts'
import { table } from '../../output.ts'
import { type StoredRow, sizeText, type Usage, usageText } from './stored.ts'

interface ListedRow extends StoredRow {
  readonly references: readonly string[]
}

interface Listing {
  readonly data: readonly ListedRow[]
  readonly next?: string
  readonly usage: Usage
}

export const registerVfsLs: Register = (parent, io) => {
  withNode(parent.command('ls'))
    .description('list all files of the node, with sizes and what they are kept for; for administrators')
    .addHelpText(
      'after',
      examples(
        ['w3bstream vfs ls', 'a line for each file'],
        ["w3bstream vfs ls --json | jq '.data[] | select(.references == [])'", 'those that nothing refers to'],
      ),
    )
    .action(
      action(io, async (context) => {
        const listing = await listAll(await context.api())
        context.print(listing, ({ data }) =>
          table(
            io,
            ['CID', 'SIZE', 'DERIVED', 'PUT', 'KEPT FOR'],
            data.map(({ cid, size, derivedSize, putAt, references }) => [
              cid,
              sizeText(size),
              derivedSize === 0 ? '-' : sizeText(derivedSize),
              putAt,
              references.join(', ') || 'nothing',
            ]),
          ),
        )
        context.note(usageText(listing.usage))
      }),
    )
}

async function listAll(api: ApiClient): Promise<Omit<Listing, 'next'>> {
  const data: ListedRow[] = []
  let page = await api.get<Listing>('/vfs/datalist')
  data.push(...page.data)
  while (page.next !== undefined) {
    page = await api.get<Listing>('/vfs/datalist', { after: page.next })
    data.push(...page.data)
  }
  return { data, usage: page.usage }
}

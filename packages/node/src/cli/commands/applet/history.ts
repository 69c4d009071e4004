import { type CommonOptions, withNode } from '../../context.ts'
import { action, examples, type Register } from '../../define.ts'
import type { CliIo } from '../../io.ts'
import { table } from '../../output.ts'
import type { List } from '../../rows.ts'
import { wholeNumber } from '../../whole-number.ts'
import { findApplet } from './version.ts'

interface Options extends CommonOptions {
  readonly project: string
  readonly lines: string
  readonly messages: string
}

interface Version {
  readonly version: number
  readonly state: 'current' | 'canary' | 'former'
  readonly percent?: number
  readonly op: 'deploy' | 'rollback' | 'canary'
  readonly of?: number
  readonly codeHash: string
  readonly note?: string
  readonly by: string
  /** RFC 3339. */
  readonly at: string
  readonly steps: readonly { readonly op: 'share' | 'promote' | 'abort'; readonly percent?: number }[]
  readonly results: {
    readonly ok: number
    readonly negative: number
    readonly failed: number
    readonly meanFuel: number
  }
}

export const registerHistory: Register = (parent, io) => {
  withNode(parent.command('history'))
    .description('show the versions of an applet: who deployed what when, and what messages came to under each')
    .argument('<applet>', 'its name')
    .requiredOption('-p, --project <NAME>', 'the project')
    .option('-n, --lines <N>', 'how many of the latest versions', '20')
    .option('--messages <N>', "count results over this many of the project's latest messages, at most 10000", '1000')
    .addHelpText(
      'after',
      examples(
        ['w3bstream applet history station -p weather', 'versions, newest first, with results'],
        ['w3bstream applet history station -p weather --messages 10000', 'judge a canary over more messages'],
        ["w3bstream applet history station -p weather --json | jq '.data[0].results'", 'for scripts'],
      ),
    )
    .action(
      action<Options>(io, async (context, { project, lines, messages }, name) => {
        const query = {
          size: wholeNumber(lines, '--lines', 1, 1_000_000),
          messages: wholeNumber(messages, '--messages', 0, 10_000),
        }
        const api = await context.api()
        const { appletId } = await findApplet(api, project, name)
        const versions = await api.get<List<Version>>(`/applet/data/${appletId}/versions`, query)
        context.print(versions, ({ data }) => historyText(io, data ?? []))
      }),
    )
}

function historyText(io: CliIo, versions: readonly Version[]): string {
  const headings = ['VERSION', 'STATE', 'DEPLOYED', 'BY', 'HOW', 'CODE', 'OK', 'NEGATIVE', 'FAILED', 'FUEL', 'NOTE']
  const rows = versions.map((version) => {
    const { ok, negative, failed, meanFuel } = version.results
    const state = version.percent === undefined ? version.state : `canary ${version.percent} %`
    const facts = [String(version.version), state, version.at, version.by || '-', howText(version)]
    const counts = [ok, negative, failed, meanFuel].map(String)
    return [...facts, version.codeHash.slice(0, 12), ...counts, version.note ?? '']
  })
  return table(io, headings, rows)
}

const done = { promote: 'promoted', abort: 'given up' }

function howText({ op, of, steps }: Version): string {
  if (op !== 'canary') return of === undefined ? op : `${op} to ${of}`
  const texts = steps.map((step) => (step.op === 'share' ? `${step.percent} %` : done[step.op]))
  return `canary: ${texts.join(', ')}`
}

import { type CommonOptions, withNode } from '../context.ts'
import { action, examples, type Register } from '../define.ts'
import { table } from '../output.ts'
import { type List, projectPath } from '../rows.ts'

interface Options extends CommonOptions {
  readonly project: string
  readonly state?: string
  readonly kind?: string
  readonly lines: string
}

/** What an applet asked to be done outside: a line of the outbox. */
interface EffectRow {
  readonly effectID: string
  readonly kind: string
  readonly state: string
  readonly height: string
  readonly attempts: number
  readonly hash?: string
  readonly call?: string
  readonly metric?: unknown
  readonly detail?: string
}

export const registerEffect: Register = (parent, io) => {
  const group = parent
    .command('effect')
    .description('what applets asked to be done outside: transactions, messages, calls, metrics')
  group.addHelpText(
    'after',
    examples(
      ['w3bstream effect list --project weather', 'the latest transactions and messages'],
      ['w3bstream effect list -p weather --state FAILED', 'what went wrong'],
    ),
  )
  withNode(group.command('list'))
    .description('list the outbox of a project, latest first')
    .requiredOption('-p, --project <NAME>', 'the project')
    .option('--state <STATE>', 'only those in this state: INIT, PENDING, IN_BLOCK, CONFIRMED, FAILED')
    .option('--kind <KIND>', 'only those of this kind: transaction, mqtt, api, metric')
    .option('-n, --lines <N>', 'how many', '50')
    .addHelpText(
      'after',
      examples(
        ['w3bstream effect list --project weather', 'the latest 50'],
        ['w3bstream effect list -p weather --state FAILED', 'what went wrong'],
        ['w3bstream effect list -p weather --kind metric --json', 'what applets measured'],
      ),
    )
    .action(
      action<Options>(io, async (context, { project, state, kind, lines }) => {
        const api = await context.api()
        const list = await api.get<List<EffectRow>>(projectPath('/outbox', project, '/datalist'), {
          size: lines,
          state,
          kind,
        })
        context.print({ data: list.data ?? [], total: list.total }, ({ data }) =>
          data.length === 0
            ? 'nothing was asked for'
            : table(
                io,
                ['STATE', 'KIND', 'BATCH', 'TRIES', 'WHAT', 'DETAIL'],
                data.map((row) => [
                  row.state,
                  row.kind,
                  row.height,
                  String(row.attempts),
                  whatOf(row),
                  row.detail ?? '',
                ]),
              ),
        )
      }),
    )
}

function whatOf({ hash, call, metric }: EffectRow): string {
  return hash ?? call ?? (metric === undefined ? '-' : JSON.stringify(metric))
}

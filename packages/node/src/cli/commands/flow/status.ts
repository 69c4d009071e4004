import { type CommonOptions, withNode } from '../../context.ts'
import { action, examples, type Register } from '../../define.ts'
import type { CliIo } from '../../io.ts'
import { table } from '../../output.ts'
import { type List, projectPath } from '../../rows.ts'

interface Options extends CommonOptions {
  readonly lines: string
}

interface WindowRow {
  readonly group: string
  readonly start: string
  readonly end: string
  readonly due: string
  readonly elements: number
  readonly bytes: number
  readonly accumulatorBytes?: number
}

interface Status extends List<WindowRow> {
  readonly bytes: number
  readonly late: number
  readonly dropped: number
  readonly wakeAt?: string
}

export const registerFlowStatus: Register = (parent, io) => {
  withNode(parent.command('status'))
    .description('show what the flow of a project keeps: open windows, late and dropped elements')
    .argument('<project>', 'its name')
    .option('-n, --lines <N>', 'how many windows, those that end first; -1 for all', '50')
    .addHelpText(
      'after',
      examples(
        ['w3bstream flow status weather', 'open windows by group, and what they hold'],
        ['w3bstream flow status weather --json | jq .late', 'events that came too late'],
      ),
    )
    .action(
      action<Options>(io, async (context, { lines }, name) => {
        const api = await context.api()
        const status = await api.get<Status>(projectPath('/flow', name ?? '', '/status'), { size: lines })
        context.print({ ...status, data: status.data ?? [] }, (shown) => describeStatus(io, shown))
      }),
    )
}

function describeStatus(io: CliIo, { data, total, bytes, late, dropped, wakeAt }: Status): string {
  const facts: [string, string][] = [
    ['open windows', String(total)],
    ['bytes kept', String(bytes)],
    ['late', String(late)],
    ['dropped', String(dropped)],
    ['next look', wakeAt ?? 'none'],
  ]
  const heading = facts.map(([name, value]) => `${io.style('bold', name.padEnd(12))} ${value}`).join('\n')
  if (!data?.length) return heading
  const rows = data.map(({ group, start, end, due, elements, bytes, accumulatorBytes }) => [
    group,
    start,
    end,
    due,
    String(elements),
    accumulatorBytes === undefined ? `${bytes} of elements` : `${accumulatorBytes} reduced`,
  ])
  return `${heading}\n\n${table(io, ['GROUP', 'START', 'END', 'CLOSED', 'ELEMENTS', 'BYTES'], rows)}`
}

import { type CommonOptions, withNode } from '../../context.ts'
import { action, examples, type Register } from '../../define.ts'
import type { CronJobRow } from '../../rows.ts'
import { wholeNumber } from '../../whole-number.ts'

interface Options extends CommonOptions {
  readonly count: string
}

export const registerCronNext: Register = (parent, io) => {
  withNode(parent.command('next'))
    .description('show when a cron job fires next, in UTC')
    .argument('<id>', 'id of the job, as "cron list" shows it')
    .option('-n, --count <N>', 'how many firings, at most 100', '5')
    .addHelpText('after', examples(['w3bstream cron next 1234567890 -n 10', 'the next ten times']))
    .action(
      action<Options>(io, async (context, { count }, id) => {
        const api = await context.api()
        const next = wholeNumber(count, '--count', 1, 100)
        const job = await api.get<CronJobRow>(`/cronjob/data/${encodeURIComponent(id ?? '')}`, { next })
        context.print(job, () => job.next.join('\n'))
      }),
    )
}

import { type CommonOptions, withNode } from '../../context.ts'
import { action, examples, type Register } from '../../define.ts'
import { table } from '../../output.ts'
import { allRows, type CronJobRow, projectIdOf } from '../../rows.ts'

interface Options extends CommonOptions {
  readonly project: string
}

export const registerCronList: Register = (parent, io) => {
  withNode(parent.command('list'))
    .description('list the cron jobs of a project')
    .requiredOption('-p, --project <NAME>', 'the project')
    .addHelpText('after', examples(['w3bstream cron list -p weather', 'schedules, event types, next firings']))
    .action(
      action<Options>(io, async (context, { project }) => {
        const api = await context.api()
        const data = await allRows<CronJobRow>(api, `/cronjob/${await projectIdOf(api, project)}`)
        context.print({ data, total: data.length }, () =>
          data.length === 0
            ? `no cron jobs; "w3bstream cron add '@daily' --project ${project}" makes one`
            : table(
                io,
                ['ID', 'SCHEDULE', 'EVENT', 'MISSED', 'NEXT'],
                data.map((job) => [job.cronJobID, job.cronExpressions, job.eventType, job.missed, job.next[0] ?? '-']),
              ),
        )
      }),
    )
}

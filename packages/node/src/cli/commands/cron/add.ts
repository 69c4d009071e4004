import { missedPolicies } from '../../../project/definition.ts'
import { type CommonOptions, withNode } from '../../context.ts'
import { action, examples, type Register } from '../../define.ts'
import { type CronJobRow, projectIdOf } from '../../rows.ts'

interface Options extends CommonOptions {
  readonly project: string
  readonly event: string
  readonly missed: string
}

export const registerCronAdd: Register = (parent, io) => {
  withNode(parent.command('add'))
    .description('make events by the clock, in UTC')
    .argument('<schedule>', 'five fields, six with seconds first, @daily and the like, or "@every 10m"')
    .requiredOption('-p, --project <NAME>', 'the project')
    .option('-e, --event <TYPE>', 'type of the events', 'DEFAULT')
    .option('--missed <POLICY>', `what becomes of missed firings: ${missedPolicies.join(', ')}`, 'once')
    .addHelpText(
      'after',
      examples(
        ["w3bstream cron add '0 6 * * 1-5' --event MORNING -p weather", 'on working days at six'],
        ["w3bstream cron add '@every 30s' -p weather --missed skip", 'nothing is made up for'],
      ),
    )
    .action(
      action<Options>(io, async (context, { project, event: eventType, missed }, cronExpressions) => {
        const api = await context.api()
        const projectId = await projectIdOf(api, project)
        const job = await api.post<CronJobRow>(`/cronjob/${projectId}`, { cronExpressions, eventType, missed })
        context.print(job, () => `cron job ${job.cronJobID}; next at ${job.next[0] ?? 'no time'}`)
      }),
    )
}

import { withNode } from '../../context.ts'
import { action, examples, type Register } from '../../define.ts'

export const registerCronRemove: Register = (parent, io) => {
  withNode(parent.command('remove'))
    .description('remove a cron job')
    .argument('<id>', 'id of the job, as "cron list" shows it')
    .addHelpText('after', examples(['w3bstream cron remove 1234567890', 'no more events of this job']))
    .action(
      action(io, async (context, _options, id) => {
        const api = await context.api()
        await api.delete(`/cronjob/data/${encodeURIComponent(id ?? '')}`)
        context.print({ cronJobID: id, removed: true }, () => `removed cron job ${id}`)
      }),
    )
}

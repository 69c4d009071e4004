import { type CommonOptions, withNode } from '../../context.ts'
import { action, examples, type Register } from '../../define.ts'
import { table } from '../../output.ts'
import { fetchLimits } from './limits.ts'

interface Options extends CommonOptions {
  readonly project: string
}

export const registerTrafficList: Register = (parent, io) => {
  withNode(parent.command('list'))
    .description('list the traffic limits of a project')
    .requiredOption('-p, --project <NAME>', "the project; for administrators also anybody's, by its full name")
    .addHelpText('after', examples(['w3bstream traffic list -p weather', 'what the project and its devices may send']))
    .action(
      action<Options>(io, async (context, { project }) => {
        const data = await fetchLimits(await context.api(), project)
        context.print({ data, total: data.length }, () =>
          data.length === 0
            ? 'no limits'
            : table(
                io,
                ['LIMIT OF', 'THRESHOLD', 'PER', 'ID'],
                data.map(({ kind, threshold, duration, trafficLimitID }) => [
                  kind,
                  `${threshold}`,
                  duration,
                  trafficLimitID,
                ]),
              ),
        )
      }),
    )
}

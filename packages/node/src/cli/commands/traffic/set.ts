import { parseDuration } from '../../../util/go-duration.ts'
import { type CommonOptions, withNode } from '../../context.ts'
import { action, examples, type Register } from '../../define.ts'
import { CliError } from '../../errors.ts'
import { wholeNumber } from '../../whole-number.ts'
import { kindsText, parseKind, putLimit } from './limits.ts'

interface Options extends CommonOptions {
  readonly project: string
  readonly per: string
}

export const registerTrafficSet: Register = (parent, io) => {
  withNode(parent.command('set'))
    .description('limit what a project, or each of its devices, may send; what is beyond is refused')
    .argument('<kind>', `${kindsText}; the first and last are for administrators`)
    .argument('<threshold>', 'how much in each period')
    .requiredOption('-p, --project <NAME>', "the project; for administrators also anybody's, by its full name")
    .option('--per <DURATION>', 'length of a period, such as 1m, 1h, 24h', '24h')
    .addHelpText(
      'after',
      examples(
        ['w3bstream traffic set device 100 --per 1m -p weather', 'each device a hundred events a minute'],
        ['w3bstream traffic set transactions 10 --per 1h -p aid_42_weather', 'as administrator, of anybody'],
      ),
    )
    .action(
      action<Options>(io, async (context, { project, per: duration }, kind, amount) => {
        if (parseDuration(duration) === undefined)
          throw new CliError({
            code: 'CLI_USAGE',
            detail: `--per ${duration} is no duration such as 1m, 1h30m, 24h, 7d`,
          })
        const threshold = wholeNumber(amount ?? '', 'threshold', 0, Number.MAX_SAFE_INTEGER)
        const limit = await putLimit(await context.api(), project, parseKind(kind ?? ''), { threshold, duration })
        context.print({ project, ...limit }, () => `limited ${limit.kind} of ${project} to ${threshold} in ${duration}`)
      }),
    )
}

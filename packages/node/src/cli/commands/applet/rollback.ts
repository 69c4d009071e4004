import { type CommonOptions, withNode } from '../../context.ts'
import { action, examples, type Register } from '../../define.ts'
import { wholeNumber } from '../../whole-number.ts'
import { findApplet, printRunning, type Running } from './version.ts'

interface Options extends CommonOptions {
  readonly project: string
  readonly note?: string
}

export const registerRollback: Register = (parent, io) => {
  withNode(parent.command('rollback'))
    .description('run the module of an older version again; nothing is uploaded')
    .argument('<applet>', 'its name')
    .argument('<version>', 'its number in "applet history"')
    .requiredOption('-p, --project <NAME>', 'the project')
    .option('--note <TEXT>', 'why; shown in the history')
    .addHelpText(
      'after',
      examples(
        ['w3bstream applet rollback station 3 -p weather', 'a new version with the module of version 3'],
        ['w3bstream applet rollback station 3 -p weather --note "wrong unit"', 'with the reason'],
      ),
    )
    .action(
      action<Options>(io, async (context, { project, note }, name, text) => {
        const version = wholeNumber(text ?? '', 'version', 1, 1_000_000_000)
        const api = await context.api()
        const applet = await findApplet(api, project, name)
        const running = await api.post<Running>(`/applet/${applet.appletId}/rollback`, { version, note })
        if (running.version === applet.version) context.note('no changes')
        printRunning(context, name, running)
      }),
    )
}

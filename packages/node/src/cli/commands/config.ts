import { stringify } from 'yaml'
import { printable } from '../../node/options.ts'
import type { Flags } from '../../node/parse-options.ts'
import { createContext, withJson } from '../context.ts'
import { examples, type Register } from '../define.ts'
import { addNodeFlags } from './start.ts'

export const registerConfig: Register = (parent, io) => {
  const group = parent.command('config').description('the configuration that a node would run with')
  group.addHelpText('after', examples(['w3bstream config show', 'what "w3bstream start" would use here']))
  withJson(addNodeFlags(group.command('show')))
    .description('show the effective configuration, from flags, environment and defaults; secrets are struck out')
    .addHelpText(
      'after',
      examples(
        ['w3bstream config show', 'what "w3bstream start" would use here'],
        ['w3bstream config show --mqtt-port 0 --json', 'with flags, for scripts'],
      ),
    )
    .action(async ({ json, ...flags }: Flags & { json?: boolean }) => {
      const { parseNodeOptions } = await import('../../node/parse-options.ts')
      const shown = printable(parseNodeOptions(flags as Flags, io.env))
      createContext(io, { json }).print(shown, () => stringify(shown))
    })
}

import type { Command } from 'commander'
import { flagName, type OptionSpec, optionTable } from '../../node/option-table.ts'
import type { Flags } from '../../node/parse-options.ts'
import { createContext, withJson } from '../context.ts'
import { examples, type Register } from '../define.ts'

export const registerStart: Register = (parent, io) => {
  const command = parent.command('start').description('run a node in the foreground, until Ctrl-C')
  withJson(addNodeFlags(command))
    .addHelpText('after', environmentHelp())
    .addHelpText(
      'after',
      examples(
        ['w3bstream start', 'management on 127.0.0.1:8888, devices on ports 8889 and 1883'],
        ['w3bstream start --data-dir /var/lib/w3bstream --host 0.0.0.0', 'for a container or another machine'],
        ['w3bstream start --http-port 9000 --event-port 0 --mqtt-port 0', 'one port only'],
        ['w3bstream start --limit mailboxMessages=50000', 'with another limit'],
      ),
    )
    .action(async ({ json, ...flags }: Flags & { json?: boolean }) => {
      const { parseNodeOptions } = await import('../../node/parse-options.ts')
      const options = parseNodeOptions(flags as Flags, io.env)
      const { runNode } = await import('../run-node.ts')
      await runNode(options, createContext(io, { json }))
    })
}

/** Adds a flag for each option of the node that has one. */
export function addNodeFlags(command: Command): Command {
  for (const [name, spec] of Object.entries(optionTable) as [string, OptionSpec<unknown>][]) {
    if (!spec.argument) continue
    const description = spec.default ? `${spec.description} (default: ${spec.default})` : spec.description
    const flag = `${flagName(name)} <${spec.argument}>`
    if (spec.repeatable) command.option(flag, description, (value: string, before: string[] = []) => [...before, value])
    else command.option(flag, description)
  }
  return command
}

function environmentHelp(): string {
  const lines = Object.values(optionTable as Record<string, OptionSpec<unknown>>)
    .filter((spec) => !spec.argument)
    .map((spec) => `  ${spec.env.padEnd(30)} ${spec.description}`)
  return `\nEnvironment (every flag has one too, such as W3BSTREAM_HTTP_PORT):\n${lines.join('\n')}\n`
}

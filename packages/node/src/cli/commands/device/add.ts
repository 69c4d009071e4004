import { didKeyProblem } from '../../../util/did-key.ts'
import { type CommonOptions, withNode } from '../../context.ts'
import { action, examples, type Register } from '../../define.ts'
import { CliError } from '../../errors.ts'
import { type PublisherRow, projectPath } from '../../rows.ts'

interface Options extends CommonOptions {
  readonly project: string
  readonly name?: string
  readonly publicKey?: string
  readonly ifMissing?: boolean
}

export const registerAdd: Register = (parent, io) => {
  withNode(parent.command('add'))
    .description('register a device and print its token')
    .argument('<key>', 'what identifies the device in the project')
    .requiredOption('-p, --project <NAME>', 'the project')
    .option('--name <TEXT>', 'for people (default: the key)')
    .option('--public-key <DID>', 'did:key under which the device signs its messages')
    .option('--if-missing', 'keep a device that has this key already')
    .addHelpText(
      'after',
      examples(
        ['w3bstream device add station-1 --project weather', 'prints the token'],
        ['TOKEN=$(w3bstream device add s1 -p weather --if-missing --json | jq -r .token)', 'for scripts'],
      ),
    )
    .action(
      action<Options>(io, async (context, { project, name, publicKey, ifMissing }, key) => {
        const problem = publicKey && didKeyProblem(publicKey)
        if (problem) throw new CliError({ code: 'CLI_USAGE', detail: `--public-key: ${problem}` })
        const api = await context.api()
        const path = projectPath('/publisher', project, ifMissing ? '/upsert' : '')
        const device = await api.post<PublisherRow>(path, { key, name: name ?? key, publicKey })
        context.note(`device ${key} of ${project}, token:`)
        context.print(device, () => device.token ?? '')
      }),
    )
}

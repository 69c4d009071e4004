import { ApiClient } from '../api-client.ts'
import { askPassword } from '../ask.ts'
import { type CommonOptions, nodeUrl, withNode } from '../context.ts'
import { saveSession } from '../credentials.ts'
import { action, examples, type Register } from '../define.ts'
import { CliError } from '../errors.ts'
import type { CliIo } from '../io.ts'

interface Options extends CommonOptions {
  readonly username: string
  readonly passwordStdin?: boolean
}

interface LoginAnswer {
  readonly accountID: string
  readonly accountRole: string
  readonly token: string
  readonly expireAt: string
}

export const registerLogin: Register = (parent, io) => {
  withNode(parent.command('login'))
    .description('log in at a node and remember the session (~/.config/w3bstream/credentials.json, mode 0600)')
    .option('-u, --username <NAME>', 'account', 'admin')
    .option('--password-stdin', 'read the password from standard input')
    .addHelpText(
      'after',
      examples(
        ['w3bstream login', 'asks for the password of admin'],
        ['w3bstream login --url https://node.example:8888 -u alice', 'another node; later commands use it too'],
        ['echo "$PASSWORD" | w3bstream login --password-stdin', 'for scripts; or set W3BSTREAM_TOKEN instead'],
      ),
    )
    .action(
      action<Options>(io, async (context, options) => {
        const url = await nodeUrl(io, options)
        const { username } = options
        const password = await readPassword(io, username, url, options.passwordStdin)
        const answer = await new ApiClient({ url }).put<LoginAnswer>('/login', { username, password })
        const { accountID, token, expireAt } = answer
        const file = await saveSession(io.env, url, { token, accountId: accountID, expireAt })
        const result = { url, accountID, accountRole: answer.accountRole, expireAt, file }
        context.print(result, () => `logged in at ${url} as ${username}, until ${expireAt}`)
      }),
    )
}

async function readPassword(io: CliIo, username: string, url: string, fromInput: boolean | undefined): Promise<string> {
  if (fromInput)
    return Buffer.from(await io.readInput(4096))
      .toString('utf8')
      .replace(/\r?\n$/, '')
  if (io.env.W3BSTREAM_ADMIN_PASSWORD && username === 'admin') return io.env.W3BSTREAM_ADMIN_PASSWORD
  if (!io.interactive) throw new CliError({ code: 'CLI_USAGE', detail: 'no terminal to ask at: add --password-stdin' })
  return await askPassword(`Password of ${username} at ${url}`)
}

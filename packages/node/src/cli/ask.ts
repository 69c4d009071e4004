import { CliError } from './errors.ts'
import type { CliIo } from './io.ts'

/** Questions to the person at the terminal. All throw CliError CLI_ABORTED on Ctrl-C. */

export async function confirm(message: string): Promise<void> {
  const { confirm: ask, isCancel } = await import('@clack/prompts')
  const answer = await ask({ message, initialValue: false })
  if (isCancel(answer) || !answer) throw new CliError({ code: 'CLI_ABORTED' })
}

export async function askText(question: {
  message: string
  initialValue?: string
  /** What is wrong with the text; undefined when nothing is. */
  check?: (text: string) => string | undefined
}): Promise<string> {
  const { text, isCancel } = await import('@clack/prompts')
  const { message, initialValue, check } = question
  const answer = await text({ message, initialValue, validate: (value) => check?.(value ?? '') })
  if (isCancel(answer)) throw new CliError({ code: 'CLI_ABORTED' })
  return answer
}

export async function askPassword(message: string): Promise<string> {
  const { password, isCancel } = await import('@clack/prompts')
  const answer = await password({ message })
  if (isCancel(answer)) throw new CliError({ code: 'CLI_ABORTED' })
  return answer
}

/**
 * Asks before something that cannot be undone. Scripts must have said `--yes`.
 * @throws CliError CLI_ABORTED, CLI_USAGE
 */
export async function confirmDestruction(io: CliIo, message: string, yes: boolean | undefined): Promise<void> {
  if (yes) return
  if (!io.interactive)
    throw new CliError({ code: 'CLI_USAGE', detail: `${message} Say --yes to do it without a question.` })
  await confirm(message)
}

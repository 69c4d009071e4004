import { W3bstreamError } from '@w3bstream/protocol'
import type { FieldError } from '../endpoint/api-error.ts'

/** A mistake in a file, where it stands; line and column count from 1. */
export interface FileProblem {
  readonly line: number
  readonly column: number
  /** Such as `applets[0].routes[1].handler`; empty for the whole file. */
  readonly path: string
  readonly message: string
}

export type CliFault =
  /** The node answered with an error; `key` and `desc` are its own. */
  | { code: 'CLI_API'; status: number; key: string; desc: string; fields: readonly FieldError[] }
  | { code: 'CLI_UNREACHABLE'; url: string; reason: string }
  /** What answered is not a node, or breaks off. */
  | { code: 'CLI_ANSWER_UNREADABLE'; url: string; detail: string }
  | { code: 'CLI_NOT_LOGGED_IN'; url: string }
  | { code: 'CLI_USAGE'; detail: string }
  | { code: 'CLI_FILE'; file: string; detail: string }
  | { code: 'CLI_NOT_FOUND'; what: string; name: string }
  /** The person said no, or pressed Ctrl-C at a question. */
  | { code: 'CLI_ABORTED' }
  /** The command ran, and what it examined or built is not in order; its output says why, `failed` which checks. */
  | { code: 'CLI_CHECK_FAILED'; detail: string; failed?: readonly string[] }
  | { code: 'PROJECT_FILE_INVALID'; file: string; problems: readonly FileProblem[] }
  /** The file is well-formed and asks for something that this version cannot do. */
  | { code: 'PROJECT_FILE_UNSUPPORTED'; file: string; problems: readonly FileProblem[] }

export class CliError extends W3bstreamError<CliFault> {}

/** Process exit codes: 0 is success. */
export const exitCodes = { failed: 1, usage: 2, interrupted: 130 } as const

const usageFaults: ReadonlySet<string> = new Set(['CLI_USAGE', 'CONFIG_INVALID'])

/** The exit code that an error ends the process with. */
export function exitCodeOf(error: unknown): number {
  return error instanceof W3bstreamError && usageFaults.has(error.code) ? exitCodes.usage : exitCodes.failed
}

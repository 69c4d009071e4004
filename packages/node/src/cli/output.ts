import { W3bstreamError } from '@w3bstream/protocol'
import Table from 'cli-table3'
import { ConfigError } from '../node/errors.ts'
import { CliError, type FileProblem } from './errors.ts'
import type { CliIo } from './io.ts'

/** Rows as columns of text under headings, without frames: what people read and `awk` can split. */
export function table(io: CliIo, headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const none = { top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '' }
  const sides = { 'bottom-left': '', 'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '' }
  const layout = new Table({
    head: headings.map((heading) => io.style('bold', heading)),
    chars: { ...none, ...sides, right: '', 'right-mid': '', middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  })
  layout.push(...rows.map((row) => row.map(printableText)))
  const text = layout.toString()
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

/** Text of strangers (device keys, log lines) without the characters that would steer a terminal. */
export function printableText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd')
}

/** An error in the shape that scripts get on standard error under `--json`. */
export function errorJson(error: unknown): { error: Record<string, unknown> } {
  if (!(error instanceof W3bstreamError)) return { error: { code: 'UNKNOWN', message: messageOf(error) } }
  const { code, ...given } = error.fault as { code: string } & Record<string, unknown>
  // JSON has no integers of this size; heights are text, as in the answers of the API.
  const details = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, typeof value === 'bigint' ? String(value) : value]),
  )
  // The node's own key is what a script compares.
  if (code === 'CLI_API') return { error: { code: details.key, message: details.desc, ...details } }
  return { error: { code, message: describeError(error).headline, ...details } }
}

/** An error for people: what went wrong, the details, and what to do. */
export function errorText(io: CliIo, error: unknown): string {
  const { headline, details, hint } = describeError(error)
  const lines = [`${io.style(['red', 'bold'], 'error', 'err')} ${printableText(headline)}`]
  for (const detail of details) lines.push(`  ${printableText(detail)}`)
  if (hint) lines.push(`${io.style('cyan', 'hint', 'err')}  ${hint}`)
  return `${lines.join('\n')}\n`
}

interface Described {
  headline: string
  details: readonly string[]
  hint?: string
}

function describeError(error: unknown): Described {
  if (error instanceof ConfigError)
    return {
      headline: 'the configuration is wrong',
      details: error.message.split('\n'),
      hint: 'w3bstream start --help',
    }
  if (error instanceof CliError) return describeFault(error)
  return { headline: messageOf(error), details: [] }
}

function describeFault(error: CliError): Described {
  const { fault } = error
  switch (fault.code) {
    case 'CLI_API': {
      const fields = fault.fields.map(({ field, msg, in: place }) => `${place ? `${place} ` : ''}${field}: ${msg}`)
      return { headline: [fault.key, fault.desc].filter(Boolean).join(': '), details: fields, hint: apiHint(fault.key) }
    }
    case 'CLI_UNREACHABLE':
      return {
        headline: `no node answers at ${fault.url} (${fault.reason})`,
        details: [],
        hint: 'start one with "w3bstream start", or name another with --url or W3BSTREAM_URL',
      }
    case 'CLI_ANSWER_UNREADABLE':
      return { headline: `${fault.url} gave an answer that cannot be read: ${fault.detail}`, details: [] }
    case 'CLI_NOT_LOGGED_IN':
      return {
        headline: `not logged in at ${fault.url}`,
        details: [],
        hint: 'run "w3bstream login", or give a token with --token or W3BSTREAM_TOKEN',
      }
    case 'CLI_USAGE':
      return { headline: fault.detail, details: [], hint: 'add --help to see what is wanted' }
    case 'CLI_FILE':
      return { headline: `${fault.file}: ${fault.detail}`, details: [] }
    case 'CLI_NOT_FOUND':
      return { headline: `there is no ${fault.what} "${fault.name}"`, details: [] }
    case 'CLI_ABORTED':
      return { headline: 'nothing was changed', details: [] }
    case 'CLI_CHECK_FAILED':
      return { headline: fault.detail, details: [] }
    case 'PROJECT_FILE_INVALID':
      return { headline: `${fault.file} is wrong`, details: fault.problems.map((p) => problemLine(fault.file, p)) }
    case 'PROJECT_FILE_UNSUPPORTED':
      return {
        headline: `${fault.file} asks for what this version cannot do`,
        details: fault.problems.map((p) => problemLine(fault.file, p)),
      }
  }
}

function problemLine(file: string, { line, column, path, message }: FileProblem): string {
  return `${file}:${line}:${column} ${path ? `${path}: ` : ''}${message}`
}

function apiHint(key: string): string | undefined {
  if (key === 'InvalidToken' || key === 'InvalidClaim') return 'the login has expired: run "w3bstream login"'
  if (key === 'ProjectNotFound') return 'see "w3bstream project list"'
  if (key === 'CanaryConflict')
    return 'see "w3bstream applet history"; "applet promote" or "applet abort" ends a canary'
  if (key === 'VersionNotFound' || key === 'CanaryNotFound') return 'see "w3bstream applet history"'
  if (key === 'ConfigNotFound') return 'the project has no such section; see "w3bstream project show"'
  if (key === 'TrafficLimitExceeded') return 'see "w3bstream traffic list"; the event was not stored'
  if (key === 'DestructiveSchemaChange') return 'only additive changes are applied; nothing was changed'
  return undefined
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

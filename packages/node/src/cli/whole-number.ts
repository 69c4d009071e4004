import { CliError } from './errors.ts'

/** A whole number of an argument. @throws CliError CLI_USAGE */
export function wholeNumber(text: string, what: string, least: number, most: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= least && value <= most) return value
  throw new CliError({ code: 'CLI_USAGE', detail: `${what} ${text} is not a whole number from ${least} to ${most}` })
}

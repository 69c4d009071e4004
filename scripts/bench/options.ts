import { parseArgs } from 'node:util'

export interface BenchOptions {
  /** Which rows. */
  readonly only: RegExp
  /** Where the rows go as JSON. */
  readonly json: string | undefined
  readonly rounds: number
  /** Profile the node under the load of these rows instead of measuring. */
  readonly profile: boolean
}

export const usage = `npm run bench -- [--only REGEX] [--json FILE] [--rounds N] [--profile]

  --only REGEX   rows whose name matches
  --json FILE    write the rows there too
  --rounds N     alternating rounds, default 5
  --profile      run the node of http-event and mqtt-qos1 under the profiler, and print where its threads spend their time
`

/** @throws Error naming what is wrong */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: '' },
      json: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      profile: { type: 'boolean', default: false },
    },
  })
  const rounds = Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 1000) throw new Error('--rounds: a number from 1 to 1000')
  return { only: new RegExp(values.only), json: values.json, rounds, profile: values.profile }
}

import { parseChains } from '../chain/chain-table.ts'
import { ChainError } from '../chain/errors.ts'
import { ConfigError, type ConfigProblem } from './errors.ts'
import { type FlatOptions, flagName, type OptionSpec, optionTable, Unwanted } from './option-table.ts'
import { defaultNodeLimits, defaultNodeOptions, type NodeOptions } from './options.ts'
import { tlsProblems } from './tls-files.ts'

/** Flags as the command line gives them, by option name: text, or several for a repeatable one. */
export type Flags = Readonly<Record<string, string | readonly string[] | undefined>>

/**
 * Makes the node's options from flags, then environment, then defaults.
 * @throws ConfigError CONFIG_INVALID with every mistake at once
 */
export function parseNodeOptions(flags: Flags, env: Readonly<Record<string, string | undefined>>): NodeOptions {
  const problems: ConfigProblem[] = []
  const flat: Partial<Record<keyof FlatOptions, unknown>> = {}
  for (const name of Object.keys(optionTable) as (keyof FlatOptions)[]) {
    const spec: OptionSpec<unknown> = optionTable[name]
    const value = readOption(name, spec, flags[name], env[spec.env], problems)
    if (value !== undefined) flat[name] = value
  }
  for (const name of Object.keys(flags))
    if (flags[name] !== undefined && !optionTable[name as keyof FlatOptions]?.argument)
      problems.push({ field: flagName(name), value: 'given', wanted: 'an option of this node' })
  const options = assemble(flat as Partial<FlatOptions>, problems)
  if (problems.length > 0) throw new ConfigError(problems)
  return options
}

function readOption(
  name: string,
  spec: OptionSpec<unknown>,
  flag: string | readonly string[] | undefined,
  variable: string | undefined,
  problems: ConfigProblem[],
): unknown {
  const fromFlag = flag !== undefined && spec.argument !== undefined
  // An empty variable counts as unset: that is how service files and compose files leave one out.
  const given = fromFlag ? flag : variable || undefined
  if (given === undefined) return undefined
  const text = typeof given === 'string' ? given : given.join(',')
  try {
    return spec.read(text)
  } catch (error) {
    if (!(error instanceof Unwanted)) throw error
    const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text
    problems.push({
      field: fromFlag ? flagName(name) : spec.env,
      value: spec.secret ? '***' : shown,
      wanted: error.message,
    })
    return undefined
  }
}

const tlsEnv = { '--tls-cert': optionTable.tlsCert.env, '--tls-key': optionTable.tlsKey.env } as const

function assemble(flat: Partial<FlatOptions>, problems: ConfigProblem[]): NodeOptions {
  const { tlsCert, tlsKey, limit, ...rest } = flat
  const alone = tlsCert && !tlsKey ? '--tls-key' : tlsKey && !tlsCert ? '--tls-cert' : undefined
  // One that was given and refused is not missing.
  if (alone && !problems.some(({ field }) => field === alone || field === tlsEnv[alone]))
    problems.push({ field: alone, value: '', wanted: 'given, since the other of certificate and key is' })
  const options: NodeOptions = {
    ...defaultNodeOptions,
    ...rest,
    ...(tlsCert && tlsKey ? { tls: { certFile: tlsCert, keyFile: tlsKey } } : {}),
    limits: { ...defaultNodeLimits, ...limit },
  }
  if (options.tls) problems.push(...tlsProblems(options.tls))
  problems.push(...samePorts(options), ...chainProblems(options.chains))
  return options
}

/** Two services cannot share a port; 0 is a different one each time. */
function samePorts(options: NodeOptions): ConfigProblem[] {
  const seen = new Map<number, string>()
  const problems: ConfigProblem[] = []
  for (const name of ['httpPort', 'eventPort', 'mqttPort', 'mqttWsPort'] as const) {
    const port = options[name]
    if (port === 'off' || port === 0) continue
    const other = seen.get(port)
    if (other) problems.push({ field: flagName(name), value: String(port), wanted: `another port than ${other}` })
    else seen.set(port, flagName(name))
  }
  return problems
}

/** Items of the chain table that are wrong, without the addresses of RPC services, which often hold a key. */
function chainProblems(chains: string | undefined): ConfigProblem[] {
  try {
    parseChains(chains)
    return []
  } catch (error) {
    if (!(error instanceof ChainError) || error.fault.code !== 'CHAIN_CONFIG_INVALID') throw error
    return error.fault.problems.map(({ at, value, wanted }) => ({
      field: `${optionTable.chains.env}${at}`,
      value,
      wanted,
    }))
  }
}

import { W3bstreamError } from '@w3bstream/protocol'

/** One wrong value of a configuration. */
export interface ConfigProblem {
  /** Where it stands: a flag, an environment variable, or a path in a file. */
  readonly field: string
  /** What was given, cut to a readable length; struck out when it is a secret. */
  readonly value: string
  /** What would be right. */
  readonly wanted: string
}

export type ConfigFault = { code: 'CONFIG_INVALID'; problems: readonly ConfigProblem[] }

/** A configuration was refused; all its mistakes are listed at once. */
export class ConfigError extends W3bstreamError<ConfigFault> {
  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ field, value, wanted }) => `${field}: ${value || '(empty)'} is not ${wanted}`)
    super({ code: 'CONFIG_INVALID', problems }, { message: lines.join('\n') })
  }
}

import { wasiFunctions } from '../wasi/table.ts'
import { apiFunctions } from './api.ts'
import { assemblyScriptFunctions } from './assemblyscript.ts'
import { chainFunctions } from './chain.ts'
import { dataFunctions } from './data.ts'
import { envFunctions } from './env.ts'
import type { HostFunction } from './host-function.ts'
import { kvFunctions } from './kv.ts'
import { logFunctions } from './log.ts'
import { metricsFunctions } from './metrics.ts'
import { mqttFunctions } from './mqtt.ts'
import { publisherFunctions } from './publisher.ts'
import { sqlFunctions } from './sql.ts'

/** Every function that a module may import. A family of host functions is one file and one line here. */
const all: readonly HostFunction[] = [
  ...logFunctions,
  ...dataFunctions,
  ...kvFunctions,
  ...sqlFunctions,
  ...envFunctions,
  ...chainFunctions,
  ...mqttFunctions,
  ...publisherFunctions,
  ...apiFunctions,
  ...metricsFunctions,
  ...assemblyScriptFunctions,
  ...wasiFunctions,
]

/** By `module.name`: the signatures in which a function may be imported, the current one first. */
export const hostTable: ReadonlyMap<string, readonly HostFunction[]> = Map.groupBy(
  all,
  ({ module, name }) => `${module}.${name}`,
)

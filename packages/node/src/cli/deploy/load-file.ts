import { readFile } from 'node:fs/promises'
import type { ApiClient } from '../api-client.ts'
import { CliError } from '../errors.ts'
import type { CliIo } from '../io.ts'
import type { ProjectFile } from '../project-file/schema.ts'
import { allRows, type OperatorRow } from '../rows.ts'
import type { DesiredProject } from './state.ts'

/**
 * @param name how messages call the file
 * @throws CliError CLI_FILE, PROJECT_FILE_INVALID, PROJECT_FILE_UNSUPPORTED
 */
export async function loadProjectFile(path: string, name: string, { env }: CliIo): Promise<ProjectFile> {
  const { readProjectFile } = await import('../project-file/read.ts')
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new CliError(
      { code: 'CLI_FILE', file: name, detail: `${(error as Error).message}; "w3bstream init" makes one` },
      { cause: error },
    )
  }
  return readProjectFile(text, name, env)
}

/**
 * The operator that the file names, and a look whether the node knows the chains.
 * @throws CliError CLI_NOT_FOUND
 */
export async function checkChains(api: ApiClient, { chains }: ProjectFile): Promise<DesiredProject['operator']> {
  if (chains?.required?.length) {
    const { chains: text } = await api.get<{ chains: string }>('/configuration/chain_config')
    const known = JSON.parse(text) as { chainID?: number; name: string }[]
    const missing = chains.required.find(
      (wanted) => !known.some(({ chainID, name }) => chainID === wanted || name === wanted),
    )
    if (missing !== undefined)
      throw new CliError({ code: 'CLI_NOT_FOUND', what: 'chain at this node', name: String(missing) })
  }
  if (!chains?.operator) return undefined
  const operators = await allRows<OperatorRow>(api, '/operator/datalist')
  const operator = operators.find(({ name }) => name === chains.operator)
  if (!operator) throw new CliError({ code: 'CLI_NOT_FOUND', what: 'operator', name: chains.operator })
  return { operatorId: operator.operatorID, name: operator.name }
}

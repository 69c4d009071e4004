import type { ProjectChange } from '../../project/definition.ts'
import type { ApiClient } from '../api-client.ts'
import { CliError } from '../errors.ts'
import { allRows, type PublisherRow, projectPath } from '../rows.ts'
import type { CurrentProject } from './state.ts'

/** A project's definition as the node answers it: maps become lists. */
export type DefinitionJson = Omit<CurrentProject, 'publishers' | 'operatorId'>

/** @throws CliError CLI_API ProjectNotFound */
export function fetchDefinition(api: ApiClient, project: string): Promise<DefinitionJson> {
  return api.get<DefinitionJson>(projectPath('/project', project, '/definition'))
}

/** What the node holds of a project; undefined when the caller has none of this name. */
export async function fetchCurrent(api: ApiClient, project: string): Promise<CurrentProject | undefined> {
  const definition = await unlessMissing(fetchDefinition(api, project), 'ProjectNotFound')
  if (!definition) return undefined
  const rows = await allRows<PublisherRow>(api, projectPath('/publisher', project))
  const publishers = rows.map(({ publisherID, key, name, publicKey = '' }) => ({
    publisherId: publisherID,
    key,
    name,
    publicKey,
  }))
  const binding = await unlessMissing(
    api.get<{ operatorID: string }>(`/project_operator/data/${definition.project.projectId}`),
    'ProjectOperatorNotFound',
    'OperatorNotFound',
  )
  return { ...definition, publishers, ...(binding ? { operatorId: binding.operatorID } : {}) }
}

/** What the node takes in one batch. */
const changesPerBatch = 1000

/** Applies changes in one batch, all or none; only beyond a thousand of them, batch by batch in their order. */
export async function applyChanges(api: ApiClient, project: string, changes: readonly ProjectChange[]): Promise<void> {
  for (let at = 0; at < changes.length; at += changesPerBatch)
    await api.post(projectPath('/project', project, '/changes'), { changes: changes.slice(at, at + changesPerBatch) })
}

/** An answer, or undefined when the node says with one of these keys that there is none. */
export async function unlessMissing<T>(answer: Promise<T>, ...keys: readonly string[]): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof CliError && error.fault.code === 'CLI_API' && keys.includes(error.fault.key)) return undefined
    throw error
  }
}

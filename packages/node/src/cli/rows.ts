import type { ApiClient, Query } from './api-client.ts'
import { CliError } from './errors.ts'

/** An answer of a list operation; `data` is null when there is nothing. */
export interface List<T> {
  readonly data: readonly T[] | null
  readonly total: number
}

export interface ProjectRow {
  readonly projectID: string
  readonly name: string
  readonly description?: string
  readonly public?: boolean
  readonly createdAt: string
}

export interface PublisherRow {
  readonly publisherID: string
  readonly name: string
  readonly key: string
  readonly token?: string
  readonly publicKey?: string
  readonly createdAt: string
}

export interface OperatorRow {
  readonly operatorID: string
  readonly name: string
  readonly address: string
}

export interface CronJobRow {
  readonly cronJobID: string
  readonly cronExpressions: string
  readonly eventType: string
  readonly missed: string
  readonly next: readonly string[]
}

/** The id of a project of the caller. @throws CliError CLI_API ProjectNotFound */
export async function projectIdOf(api: ApiClient, project: string): Promise<string> {
  return (await api.get<ProjectRow>(projectPath('/project', project, '/data'))).projectID
}

/** All rows of a list operation, as an array. */
export async function allRows<T>(api: ApiClient, path: string, query: Query = {}): Promise<readonly T[]> {
  return (await api.get<List<T>>(path, { size: -1, ...query })).data ?? []
}

/** A path with a name of the caller's in it. */
export function projectPath(before: string, project: string, after = ''): string {
  return `${before}/x/${encodeURIComponent(project)}${after}`
}

/** The device of a project with this key. @throws CliError CLI_NOT_FOUND */
export async function findDevice(api: ApiClient, project: string, key: string): Promise<PublisherRow> {
  const [row] = await allRows<PublisherRow>(api, projectPath('/publisher', project), { key })
  if (!row) throw new CliError({ code: 'CLI_NOT_FOUND', what: `device of ${project}`, name: key })
  return row
}

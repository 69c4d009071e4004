import { assetPathProblem } from '../../project/assets.ts'
import { hostProblem } from '../../project/settings-range.ts'
import { clockProblems } from './check-clock.ts'
import type { ShapeProblem } from './check-shape.ts'
import { checkFlow } from './flow.ts'
import type { ProjectFile } from './schema.ts'
import type { TableSection } from './schema-tables.ts'

/** Mistakes that no schema sees: contradictions between values of one section. Sections whose shape is wrong are left out by the caller. */
export function checkMeaning(file: Partial<ProjectFile>): ShapeProblem[] {
  return [
    ...applets(file.applets ?? []),
    ...repeated(file.devices ?? [], 'devices', 'key'),
    ...Object.entries(file.tables ?? {}).flatMap(([name, table]) => tableProblems(name, table)),
    ...(file.tables && file.database
      ? [{ path: ['database'], atKey: true, message: 'give tables or database, not both' }]
      : []),
    ...assetProblems(file.assets ?? {}),
    ...clockProblems(file),
    ...outboundProblems(file.settings?.outboundHosts ?? []),
    ...checkFlow(file),
    ...repeated(file.facts ?? [], 'facts', 'name'),
    ...(file.facts ?? []).flatMap(factProblems),
  ]
}

/** Paths that no applet could open, and files that would be directories too. */
function assetProblems(assets: NonNullable<ProjectFile['assets']>): ShapeProblem[] {
  return Object.keys(assets).flatMap((path) => {
    const message =
      assetPathProblem(path) ??
      (Object.keys(assets).some((other) => path.startsWith(`${other}/`)) ? 'lies below another asset' : undefined)
    return message === undefined ? [] : [{ path: ['assets', path], atKey: true, message }]
  })
}

function outboundProblems(hosts: readonly string[]): ShapeProblem[] {
  return hosts.flatMap((host, i) => {
    const message = hostProblem(host)
    return message === undefined ? [] : [{ path: ['settings', 'outboundHosts', i], message }]
  })
}

function applets(list: NonNullable<ProjectFile['applets']>): ShapeProblem[] {
  const problems = repeated(list, 'applets', 'name')
  list.forEach((applet, i) => {
    if ((applet.source === undefined) === (applet.wasm === undefined))
      problems.push({ path: ['applets', i], message: 'wanted either source or wasm' })
    for (const problem of repeated(applet.routes ?? [], 'routes', 'event'))
      problems.push({ ...problem, path: ['applets', i, ...problem.path] })
  })
  return problems
}

function tableProblems(name: string, table: TableSection): ShapeProblem[] {
  const problems: ShapeProblem[] = []
  for (const kind of ['unique', 'index'] as const)
    table[kind]?.forEach((columns, i) => {
      columns.forEach((column, j) => {
        if (!(column in table.columns))
          problems.push({ path: ['tables', name, kind, i, j], message: `the table has no column "${column}"` })
      })
    })
  for (const [column, spec] of Object.entries(table.columns))
    if (typeof spec === 'object' && spec.autoincrement && !/int/.test(spec.type))
      problems.push({
        path: ['tables', name, 'columns', column, 'autoincrement'],
        message: `a ${spec.type} cannot count up`,
      })
  return problems
}

function factProblems({ statement }: NonNullable<ProjectFile['facts']>[number], i: number): ShapeProblem[] {
  if (statement.above !== undefined || statement.below !== undefined) return []
  return [{ path: ['facts', i, 'statement'], message: 'wanted above, below or both' }]
}

/** Entries of a list that repeat a name. */
function repeated<K extends string>(list: readonly { [P in K]: string }[], section: string, key: K): ShapeProblem[] {
  const seen = new Map<string, number>()
  const problems: ShapeProblem[] = []
  list.forEach((entry, i) => {
    const first = seen.get(entry[key])
    if (first === undefined) seen.set(entry[key], i)
    else problems.push({ path: [section, i, key], message: `"${entry[key]}" is at ${section}[${first}] already` })
  })
  return problems
}

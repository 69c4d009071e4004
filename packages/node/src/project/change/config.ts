import { assetProblem } from '../assets.ts'
import { type ChangeHandlers, Refused } from './application.ts'

/** Configuration of which a project has one each, replaced as a whole. */
export const configChanges: ChangeHandlers<'env.put' | 'flow.put' | 'database.put' | 'assets.put'> = {
  'env.put': (application, { env }) => application.put('env', dedupe(env)),
  'flow.put': (application, { flow }) => {
    const problems = application.context.flowProblems(flow, application.editor.single('database') ?? {})
    if (problems.length > 0) throw new Refused('InvalidFlow', problems.join('; '))
    return application.put('flow', flow)
  },
  'database.put': async (application, { database }) => {
    await application.context.migrate(database)
    return application.put('database', database)
  },
  'assets.put': (application, { assets }) => {
    const problem = assetProblem(assets)
    if (problem !== undefined) throw new Refused('badRequest', problem)
    const rows = assets.map(({ path, hash, size }) => ({ path, hash, size }))
    return application.put(
      'assets',
      rows.sort((a, b) => (a.path < b.path ? -1 : 1)),
    )
  },
}

/** The last value of a name wins; empty names are dropped. */
function dedupe(env: readonly (readonly [string, string])[]): (readonly [string, string])[] {
  return [...new Map(env.filter(([name]) => name !== ''))]
}

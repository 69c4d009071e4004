import type { ChangeHandlers } from './application.ts'

/** Configuration of which a project has one each, replaced as a whole. */
export const configChanges: ChangeHandlers<'env.put' | 'flow.put' | 'database.put'> = {
  'env.put': (application, { env }) => application.put('env', dedupe(env)),
  'flow.put': (application, { flow }) => application.put('flow', flow),
  'database.put': async (application, { database }) => {
    await application.context.migrate(database)
    return application.put('database', database)
  },
}

/** The last value of a name wins; empty names are dropped. */
function dedupe(env: readonly (readonly [string, string])[]): (readonly [string, string])[] {
  return [...new Map(env.filter(([name]) => name !== ''))]
}

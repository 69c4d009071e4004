import type { ApiClient } from '../../api-client.ts'
import type { Context } from '../../context.ts'
import { fetchDefinition } from '../../deploy/fetch-current.ts'
import type { CurrentProject } from '../../deploy/state.ts'
import { CliError } from '../../errors.ts'

/** What an applet runs, as the operations that change it answer. */
export interface Running {
  readonly appletID: string
  readonly version: number
  readonly codeHash: string
  readonly canary?: { readonly version: number; readonly codeHash: string; readonly percent: number }
}

/** The applet of a project with this name. @throws CliError CLI_NOT_FOUND; CLI_API ProjectNotFound */
export async function findApplet(
  api: ApiClient,
  project: string,
  name: string,
): Promise<CurrentProject['applets'][number]> {
  const { applets } = await fetchDefinition(api, project)
  const applet = applets.find((candidate) => candidate.name === name)
  if (!applet) throw new CliError({ code: 'CLI_NOT_FOUND', what: `applet of ${project}`, name })
  return applet
}

/** Shows what runs after a change. */
export function printRunning(context: Context, name: string, running: Running): void {
  context.print(running, ({ version, codeHash, canary }) => {
    const current = `${name} runs version ${version} (${codeHash.slice(0, 12)})`
    if (!canary) return current
    return `${current}, and version ${canary.version} (${canary.codeHash.slice(0, 12)}) for ${canary.percent} % of the devices`
  })
}

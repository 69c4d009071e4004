import { withNode } from '../../context.ts'
import { action, examples, type Register } from '../../define.ts'
import { fetchCurrent } from '../../deploy/fetch-current.ts'
import type { CurrentProject } from '../../deploy/state.ts'
import { CliError } from '../../errors.ts'
import type { CliIo } from '../../io.ts'
import { table } from '../../output.ts'

export const registerShow: Register = (parent, io) => {
  withNode(parent.command('show'))
    .description('show what a project consists of')
    .argument('<project>', 'its name')
    .addHelpText(
      'after',
      examples(
        ['w3bstream project show weather', 'state, applets, routes, tables, devices'],
        ['w3bstream project show weather --json | jq .settings', 'one part, for scripts'],
      ),
    )
    .action(
      action(io, async (context, _options, name) => {
        const current = await fetchCurrent(await context.api(), name)
        if (!current) throw new CliError({ code: 'CLI_NOT_FOUND', what: 'project', name })
        context.print(withoutSecrets(current), () => describeProject(io, current))
      }),
    )
}

/** People keep keys in variables; their names are enough here. */
function withoutSecrets(current: CurrentProject): unknown {
  return { ...current, env: current.env.map(([key]) => [key, '***']) }
}

function describeProject(
  io: CliIo,
  { project, applets, instances, strategies, database, env, publishers }: CurrentProject,
): string {
  const tables = (database.schemas ?? []).flatMap((schema) => schema.tables.map(({ name }) => name))
  const facts: [string, string][] = [
    ['name', project.name],
    ['channel', project.channel],
    ['id', project.projectId],
    ['key', project.projectKey],
    ['state', project.state],
    ['public', project.public ? 'yes: accepts events without a token' : 'no'],
    ['description', project.description],
    ['tables', tables.join(', ') || 'none'],
    ['env', env.map(([key]) => key).join(', ') || 'none'],
    ['devices', String(publishers.length)],
  ]
  const routes = applets.flatMap((applet) => {
    const state = instances.find(({ appletId }) => appletId === applet.appletId)?.state ?? 'no instance'
    const own = strategies.filter(({ appletId }) => appletId === applet.appletId)
    const facts = [versionText(applet), applet.codeHash.slice(0, 12)]
    return own.map((route) => [applet.name, state, route.eventType, route.handler, ...facts])
  })
  const heading = facts.map(([name, value]) => `${io.style('bold', name.padEnd(12))} ${value}`).join('\n')
  return routes.length === 0
    ? heading
    : `${heading}\n\n${table(io, ['APPLET', 'STATE', 'EVENT', 'HANDLER', 'VERSION', 'CODE'], routes)}`
}

function versionText({ version, canary }: CurrentProject['applets'][number]): string {
  return canary ? `${version}, canary ${canary.version} (${canary.percent} %)` : String(version)
}

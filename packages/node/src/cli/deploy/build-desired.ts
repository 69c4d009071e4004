import { createHash } from 'node:crypto'
import { basename, extname, resolve } from 'node:path'
import { defaultProjectSettings } from '../../project/definition.ts'
import { CliError } from '../errors.ts'
import { examineModule } from '../examine-module.ts'
import { flowOf } from '../project-file/flow.ts'
import type { ProjectFile } from '../project-file/schema.ts'
import { databaseOf } from '../project-file/tables.ts'
import type { MakeModule } from '../source-maps/compile.ts'
import { readAssets } from './plan-assets.ts'
import { type BuiltApplet, checkFunctions } from './plan-flow.ts'
import type { DesiredProject } from './state.ts'

type AppletSection = NonNullable<ProjectFile['applets']>[number]

/**
 * What a project file asks for, with its applets built and examined: a module that the node would refuse is refused here,
 * before anything is changed.
 * @param directory that paths in the file are relative to
 * @throws CliError CLI_FILE, CLI_CHECK_FAILED; AppletSdkError
 */
export async function buildDesired(
  file: ProjectFile,
  directory: string,
  operator: DesiredProject['operator'],
  makeModule: MakeModule,
): Promise<DesiredProject> {
  const { limits, ...settings } = defaultProjectSettings
  const applets =
    file.applets && (await Promise.all(file.applets.map((applet) => buildModule(applet, directory, makeModule))))
  const flow = flowOf(file)
  checkFunctions(flow, applets)
  return {
    name: file.name,
    description: file.description,
    public: file.public,
    applets,
    devices: file.devices?.map(({ key, name, publicKey }) => ({ key, name: name ?? key, publicKey })),
    env: file.env,
    assets: file.assets && (await readAssets(file.assets, directory)),
    database: databaseOf(file),
    settings: file.settings && { ...settings, ...file.settings },
    limits: file.limits && { ...limits, ...file.limits },
    cron: file.cron?.map(({ schedule, event, missed }) => ({
      expression: schedule.trim(),
      eventType: event ?? 'DEFAULT',
      missed: missed ?? 'once',
    })),
    traffic: file.traffic && trafficOf(file.traffic),
    flow,
    operator,
  }
}

function trafficOf({ project, device, transactions }: NonNullable<ProjectFile['traffic']>): DesiredProject['traffic'] {
  return [
    ...(project
      ? [{ apiType: 'EVENT', scope: 'PROJECT', threshold: project.events, duration: project.per } as const]
      : []),
    ...(device ? [{ apiType: 'EVENT', scope: 'DEVICE', threshold: device.events, duration: device.per } as const] : []),
    ...(transactions
      ? [
          {
            apiType: 'BLOCKCHAIN',
            scope: 'PROJECT',
            threshold: transactions.count,
            duration: transactions.per,
          } as const,
        ]
      : []),
  ]
}

async function buildModule(applet: AppletSection, directory: string, makeModule: MakeModule): Promise<BuiltApplet> {
  const path = resolve(directory, applet.source ?? applet.wasm ?? '')
  const wasm = await makeModule(path, applet.source !== undefined)
  const routes = applet.routes ?? [{ event: 'DEFAULT', handler: 'start' }]
  const { handlers, reducers } = await examineModule(wasm, applet.name)
  const missing = routes.find((route) => !handlers.includes(route.handler))
  if (missing)
    throw new CliError({
      code: 'CLI_CHECK_FAILED',
      detail: `applet ${applet.name} exports no handler "${missing.handler}"; it has ${handlers.join(', ')}`,
    })
  return {
    name: applet.name,
    fileName: `${basename(path, extname(path))}.wasm`,
    wasm,
    codeHash: createHash('sha256').update(wasm).digest('hex'),
    strategies: routes.map(({ event, handler, metrics = false }) => ({
      eventType: event,
      handler,
      autoCollectMetric: metrics,
    })),
    handlers,
    reducers,
    cache: applet.kv ? { mode: 'REDIS', prefix: applet.kv.shared } : { mode: 'MEMORY', prefix: '' },
  }
}

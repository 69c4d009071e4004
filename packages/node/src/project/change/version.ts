import type { Sfid } from '@w3bstream/protocol'
import type { Applet, AppletModule, AppletVersion, Canary, VersionStep } from '../definition.ts'
import {
  type Accepted,
  type Application,
  type Change,
  type ChangeHandlers,
  found,
  given,
  Refused,
} from './application.ts'
import { appletOf } from './find.ts'

/**
 * Which module an applet runs. Each deployment is a row of the kind `appletVersion`; the applet itself has the modules that
 * run now, so that no row is read for a message.
 */
export const versionChanges: ChangeHandlers<'applet.rollback' | 'applet.canary' | 'applet.promote' | 'applet.abort'> = {
  'applet.rollback': rollback,
  'applet.canary': canary,
  'applet.promote': promote,
  'applet.abort': abort,
}

type Deployment = Pick<AppletVersion, 'op' | 'of'> & { readonly by?: Sfid; readonly note?: string }

/** Steps of one canary that are kept. */
const keptSteps = 100

/** What a new applet runs. */
export function firstVersion(
  application: Application,
  appletId: Sfid,
  { by, note, ...module }: AppletModule & { by?: Sfid; note?: string },
): AppletModule & Pick<Applet, 'version' | 'latestVersion'> {
  putVersion(application, appletId, 1, module, { op: 'deploy', by, note })
  return { ...moduleOf(module), version: 1, latestVersion: 1 }
}

/**
 * The applet with another module, when one is given that it does not run already.
 * @throws Refused CanaryConflict
 */
export async function deploy(
  application: Application,
  applet: Applet,
  { by, note, ...change }: Partial<AppletModule> & { by?: Sfid; note?: string },
): Promise<Applet> {
  const module = moduleOf({ ...applet, ...given(change) })
  // The same bytes under another name are no new version.
  if (module.codeHash === applet.codeHash) return { ...applet, ...module }
  refuseCanary(applet)
  return { ...applet, ...(await nextVersion(application, applet, module, { op: 'deploy', by, note })) }
}

async function rollback(application: Application, change: Change<'applet.rollback'>): Promise<Accepted> {
  const { appletId, version, by, note } = change
  const applet = appletOf(application, appletId)
  const target = found(await versionOf(application, applet, version), 'VersionNotFound', `${appletId}/${version}`)
  refuseCanary(applet)
  if (target.codeHash === applet.codeHash) return { ok: true, id: appletId, value: applet }
  const deployment = { op: 'rollback', of: version, by, note } as const
  return putApplet(application, { ...applet, ...(await nextVersion(application, applet, target, deployment)) })
}

async function canary(application: Application, change: Change<'applet.canary'>): Promise<Accepted> {
  const { appletId, percent, codeHash } = change
  // Other programs may write to the log too.
  if (!Number.isInteger(percent) || percent < 0 || percent > 100)
    throw new Refused('badRequest', `percent: ${percent} is not a whole number from 0 to 100`)
  const applet = appletOf(application, appletId)
  if (applet.canary && (codeHash === undefined || codeHash === applet.canary.codeHash))
    return reshare(application, applet, applet.canary, change)
  refuseCanary(applet)
  const { resourceId, md5, fileName, by, note } = change
  if (codeHash === undefined || resourceId === undefined) throw new Refused('CanaryNotFound', appletId)
  if (codeHash === applet.codeHash) throw new Refused('CanaryConflict', 'the applet runs this module already')
  const module = { resourceId, codeHash, md5: md5 ?? '', fileName: fileName ?? '' }
  const { latestVersion } = await nextVersion(application, applet, module, { op: 'canary', by, note })
  await step(application, applet.appletId, latestVersion, { op: 'share', percent, by })
  const startHeight = application.context.height.toString()
  return putApplet(application, {
    ...applet,
    latestVersion,
    canary: { ...module, version: latestVersion, percent, startHeight },
  })
}

async function reshare(
  application: Application,
  applet: Applet,
  canary: Canary,
  { percent, by }: Change<'applet.canary'>,
): Promise<Accepted> {
  if (percent === canary.percent) return { ok: true, id: applet.appletId, value: applet }
  await step(application, applet.appletId, canary.version, { op: 'share', percent, by })
  return putApplet(application, { ...applet, canary: { ...canary, percent } })
}

async function promote(application: Application, { appletId, by }: Change<'applet.promote'>): Promise<Accepted> {
  const { canary, ...applet } = appletOf(application, appletId)
  if (!canary) throw new Refused('CanaryNotFound', appletId)
  await step(application, appletId, canary.version, { op: 'promote', by })
  return putApplet(application, { ...applet, ...moduleOf(canary), version: canary.version })
}

async function abort(application: Application, { appletId, by }: Change<'applet.abort'>): Promise<Accepted> {
  const { canary, ...applet } = appletOf(application, appletId)
  if (!canary) throw new Refused('CanaryNotFound', appletId)
  await step(application, appletId, canary.version, { op: 'abort', by })
  return putApplet(application, applet)
}

function refuseCanary({ canary }: Applet): void {
  if (canary) throw new Refused('CanaryConflict', `version ${canary.version} runs as canary: promote or abort it first`)
}

function putApplet(application: Application, applet: Applet): Accepted {
  const value: Applet = { ...applet, updatedMs: application.context.timeMs }
  application.editor.put('applet', applet.appletId, value)
  return { ok: true, id: applet.appletId, value }
}

/** Writes the row of a new version; the applet's fields with which it would run for all. */
async function nextVersion(
  application: Application,
  applet: Applet,
  module: AppletModule,
  deployment: Deployment,
): Promise<AppletModule & Pick<Applet, 'version' | 'latestVersion'>> {
  const { appletId, version, latestVersion, createdMs } = applet
  // An applet that is older than versions has no row of what it runs.
  if (!(await versionOf(application, applet, version)))
    putVersion(application, appletId, version, applet, { op: 'deploy' }, { height: '0', index: 0, timeMs: createdMs })
  putVersion(application, appletId, latestVersion + 1, module, deployment)
  return { ...moduleOf(module), version: latestVersion + 1, latestVersion: latestVersion + 1 }
}

function putVersion(
  application: Application,
  appletId: Sfid,
  version: number,
  module: AppletModule,
  { op, of, by = '', note = '' }: Deployment,
  place = placeOf(application),
): void {
  const row: AppletVersion = {
    appletId,
    version,
    ...moduleOf(module),
    op,
    ...(of === undefined ? {} : { of }),
    steps: [],
    by,
    note,
    ...place,
  }
  application.editor.put('appletVersion', `${appletId}/${version}`, row)
}

async function step(
  application: Application,
  appletId: Sfid,
  version: number,
  { op, percent, by = '' }: Pick<VersionStep, 'op' | 'percent'> & { by?: Sfid },
): Promise<void> {
  const id = `${appletId}/${version}`
  const row = found(await application.row<AppletVersion>('appletVersion', id), 'VersionNotFound', id)
  const added: VersionStep = { op, ...(percent === undefined ? {} : { percent }), by, ...placeOf(application) }
  application.editor.put('appletVersion', id, { ...row, steps: [...row.steps, added].slice(-keptSteps) })
}

function versionOf(application: Application, { appletId }: Applet, version: number) {
  return application.row<AppletVersion>('appletVersion', `${appletId}/${version}`)
}

function placeOf({ context: { height, index, timeMs } }: Application) {
  return { height: height.toString(), index, timeMs }
}

/** The module alone, of whatever names one. */
function moduleOf({ resourceId, codeHash, md5, fileName }: AppletModule): AppletModule {
  return { resourceId, codeHash, md5, fileName }
}

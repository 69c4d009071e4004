import { isDeepStrictEqual } from 'node:util'
import { defaultProjectSettings, type ProjectChange } from '../../project/definition.ts'
import { planApplets } from './plan-applets.ts'
import { planAssets } from './plan-assets.ts'
import { planCron, planTraffic } from './plan-clock.ts'
import { planDatabase } from './plan-database.ts'
import { planFlow } from './plan-flow.ts'
import { nothing, type PlanLine, type PlanPart, type Upload } from './plan-part.ts'
import type { CurrentProject, DesiredAsset, DesiredProject } from './state.ts'

/** What a deployment does, in this order. Nothing to do: all parts empty. */
export interface Plan {
  /** The project does not exist. */
  readonly create: boolean
  /** Sent before the changes, which name them. */
  readonly files: readonly DesiredAsset[]
  /** Applied as one batch: all or none. */
  readonly changes: readonly ProjectChange[]
  readonly uploads: readonly Upload[]
  /** Applied when the modules are there whose functions they name. */
  readonly afterUploads: readonly ProjectChange[]
  readonly operator?: { readonly operatorId: string; readonly name: string }
  readonly lines: readonly PlanLine[]
}

export interface PlanOptions {
  /** Remove devices that the file does not list. @default false, since devices may register themselves */
  readonly pruneDevices?: boolean
}

/** Compares what is wanted with what there is. Applying the plan and comparing again gives an empty plan. */
export function planDeployment(
  desired: DesiredProject,
  current: CurrentProject | undefined,
  options: PlanOptions = {},
): Plan {
  const parts = [
    planProject(desired, current),
    planSettings(desired, current),
    planEnv(desired, current),
    planAssets(desired, current),
    planDatabase(desired, current),
    planDevices(desired, current, options),
    planApplets(desired, current),
    planCron(desired, current),
    planTraffic(desired, current),
  ]
  const flow = planFlow(desired, current)
  const rebind = desired.operator && desired.operator.operatorId !== current?.operatorId
  const operatorLine: PlanLine[] = rebind
    ? [{ sign: current?.operatorId ? '~' : '+', what: 'operator', detail: desired.operator?.name ?? '' }]
    : []
  return {
    create: current === undefined,
    files: parts.flatMap((part) => part.files ?? []),
    changes: parts.flatMap((part) => part.changes),
    uploads: parts.flatMap((part) => part.uploads ?? []),
    afterUploads: flow.changes,
    ...(rebind ? { operator: desired.operator } : {}),
    lines: [...[...parts, flow].flatMap((part) => part.lines), ...operatorLine],
  }
}

export function isEmpty(plan: Plan): boolean {
  const { create, changes, uploads, afterUploads, operator } = plan
  return !create && changes.length + uploads.length + afterUploads.length === 0 && operator === undefined
}

function planProject(desired: DesiredProject, current: CurrentProject | undefined): PlanPart {
  const wanted = { description: desired.description, public: desired.public }
  if (!current) {
    // Created with its name only; what else is told of it follows like any other change.
    const update = defined(wanted)
    const changes: ProjectChange[] = Object.keys(update).length > 0 ? [{ op: 'project.update', ...update }] : []
    return { changes, lines: [{ sign: '+', what: `project ${desired.name}`, detail: '' }] }
  }
  const update = differing(wanted, current.project)
  if (Object.keys(update).length === 0) return nothing
  return {
    changes: [{ op: 'project.update', ...update }],
    lines: [{ sign: '~', what: `project ${desired.name}`, detail: listValues(update) }],
  }
}

function planSettings(desired: DesiredProject, current: CurrentProject | undefined): PlanPart {
  const there = current?.settings ?? defaultProjectSettings
  const settings = differing<Record<string, unknown>>({ ...desired.settings }, there)
  const limits = differing<Record<string, unknown>>({ ...desired.limits }, there.limits)
  const changed = { ...settings, ...(Object.keys(limits).length > 0 ? { limits } : {}) }
  if (Object.keys(changed).length === 0) return nothing
  const lines: PlanLine[] = []
  if (Object.keys(settings).length > 0) lines.push({ sign: '~', what: 'settings', detail: listValues(settings) })
  if (Object.keys(limits).length > 0) lines.push({ sign: '~', what: 'limits', detail: listValues(limits) })
  return { changes: [{ op: 'settings.put', settings: changed }], lines }
}

/** Values of variables are not shown: people keep keys in them. */
function planEnv(desired: DesiredProject, current: CurrentProject | undefined): PlanPart {
  if (!desired.env) return nothing
  const wanted = new Map(Object.entries(desired.env))
  const known = new Map(current?.env ?? [])
  const lines: PlanLine[] = []
  for (const [key, value] of wanted)
    if (known.get(key) !== value) lines.push({ sign: known.has(key) ? '~' : '+', what: `env ${key}`, detail: '' })
  for (const key of known.keys()) if (!wanted.has(key)) lines.push({ sign: '-', what: `env ${key}`, detail: '' })
  return lines.length === 0 ? nothing : { changes: [{ op: 'env.put', env: [...wanted] }], lines }
}

function planDevices(
  desired: DesiredProject,
  current: CurrentProject | undefined,
  { pruneDevices = false }: PlanOptions,
): PlanPart {
  if (!desired.devices) return nothing
  const known = new Map((current?.publishers ?? []).map((publisher) => [publisher.key, publisher]))
  const changes: ProjectChange[] = []
  const lines: PlanLine[] = []
  for (const device of desired.devices) {
    const publisher = known.get(device.key)
    known.delete(device.key)
    const update = differing({ name: device.name, publicKey: device.publicKey }, publisher ?? {})
    if (!publisher) changes.push({ op: 'publisher.create', ...defined({ ...device }) } as ProjectChange)
    else if (Object.keys(update).length > 0)
      changes.push({ op: 'publisher.update', publisherId: publisher.publisherId, ...update })
    else continue
    lines.push({
      sign: publisher ? '~' : '+',
      what: `device ${device.key}`,
      detail: publisher ? listValues(update) : '',
    })
  }
  if (pruneDevices)
    for (const { publisherId, key } of known.values()) {
      changes.push({ op: 'publisher.remove', publisherId })
      lines.push({ sign: '-', what: `device ${key}`, detail: '' })
    }
  return { changes, lines }
}

/** Those of the wanted values that are given and not there already. */
function differing<T extends object>(wanted: T, current: object): Partial<T> {
  const there = current as Record<string, unknown>
  return Object.fromEntries(
    Object.entries(defined(wanted)).filter(([name, value]) => !isDeepStrictEqual(value, there[name])),
  ) as Partial<T>
}

function defined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Partial<T>
}

function listValues(values: object): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
    .join(', ')
}

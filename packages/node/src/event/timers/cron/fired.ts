import type { Writer } from '@w3bstream/protocol'
import type { ProjectReader, ProjectTransaction } from '../../../database/database.ts'
import type { ProjectDefinition } from '../../../project/definition.ts'
import type { WriteSet } from '../../write-set.ts'
import type { Firing } from './firing.ts'

/** Where a project's state says which scheduled time of each job was fired last: `{"<job id>": <milliseconds>}`. */
const namespace = 'cron'
const key = 'fired'

export type Fired = Readonly<Record<string, number>>

/** What the committed state of a project says. */
export async function readFired(reader: ProjectReader): Promise<Fired> {
  const { data } = await reader.listKv({ namespace, prefix: key, size: 1 })
  return decode(data[0]?.value)
}

/**
 * Decides, alike on every member, whether a firing is to be executed: of each job only times behind the last one are. Then
 * it is noted, whatever its handlers come to. Jobs that are gone are forgotten on the way.
 * @returns why it is refused; undefined when it is to be executed
 */
export async function admitFiring(
  { cronJobId, atMs }: Firing,
  definition: ProjectDefinition,
  state: { writes: WriteSet; digest: Writer; transaction: ProjectTransaction },
): Promise<'CronJobNotFound' | 'ProjectPaused' | 'CronFired' | undefined> {
  const { writes, digest, transaction } = state
  if (!definition.cronJobs.has(cronJobId)) return 'CronJobNotFound'
  if (definition.project.state === 'paused') return 'ProjectPaused'
  const fired = decode(await writes.get(transaction, namespace, key))
  if ((fired[cronJobId] ?? -1) >= atMs) return 'CronFired'
  const jobs = [...definition.cronJobs.keys()].sort()
  const next = jobs.flatMap((id) => {
    const lastMs = id === cronJobId ? atMs : fired[id]
    return lastMs === undefined ? [] : [[id, lastMs] as const]
  })
  writes.put(namespace, key, Buffer.from(JSON.stringify(Object.fromEntries(next))))
  writes.keep(digest)
  return undefined
}

function decode(value: Uint8Array | undefined): Fired {
  return value === undefined ? {} : (JSON.parse(Buffer.from(value).toString()) as Fired)
}

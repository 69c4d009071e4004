import { setImmediate } from 'node:timers/promises'
import { decodeReceipt, type HandlerResult, type Sfid, toHex } from '@w3bstream/protocol'
import type { Page, Paged, ProjectReader } from '../database/database.ts'
import type { AppletVersion } from './definition.ts'
import type { VersionResults } from './project.ts'

/** @returns nothing when the applet has no version of that number */
export async function readVersion(
  reader: ProjectReader,
  appletId: Sfid,
  version: number,
): Promise<AppletVersion | undefined> {
  const row = await reader.definitionGet('appletVersion', `${appletId}/${version}`)
  return row && (JSON.parse(row.value) as AppletVersion)
}

/** One page, newest first. Versions have numbers without gaps, so no others are read. */
export async function readVersions(
  reader: ProjectReader,
  appletId: Sfid,
  latest: number,
  { size = 10, offset = 0 }: Page,
): Promise<Paged<AppletVersion>> {
  const newest = latest - offset
  const oldest = size < 0 ? 1 : Math.max(1, newest - size + 1)
  const data: AppletVersion[] = []
  for (let version = newest; version >= oldest; version--) {
    const row = await readVersion(reader, appletId, version)
    if (row) data.push(row)
  }
  return { data, total: latest }
}

/** Batches between two pauses, in which the thread does other work. */
const batchesPerTurn = 64

/**
 * What the latest messages came to, per version of an applet. Versions of one module are told apart by their place in the history: a
 * module ran for the newest of them.
 * @param messages how many are looked at, of all applets and kinds
 */
export async function countResults(
  reader: ProjectReader,
  versions: readonly AppletVersion[],
  messages: number,
): Promise<ReadonlyMap<number, VersionResults>> {
  const counts = new Map<number, { ok: number; negative: number; failed: number; fuel: bigint }>()
  const places = placesOf(versions)
  let left = messages
  let { height } = await reader.tip()
  for (; left > 0 && height > 0n; height--) {
    if (height % BigInt(batchesPerTurn) === 0n) await setImmediate()
    for (const { index, receipt, status } of [...(await reader.messages(height))].reverse().slice(0, left)) {
      left--
      // The results of a repetition are those of the first, which is counted at its own place.
      if (status === 'duplicate') continue
      for (const result of decodeReceipt(receipt).results) {
        const version = versionAt(places, result, height, index)
        if (version === undefined) continue
        const count = counts.get(version) ?? { ok: 0, negative: 0, failed: 0, fuel: 0n }
        count[outcome(result)]++
        count.fuel += result.fuel
        counts.set(version, count)
      }
    }
  }
  return new Map([...counts].map(([version, count]) => [version, summary(count)]))
}

function outcome({ error, code }: HandlerResult): 'ok' | 'negative' | 'failed' {
  if (error !== '') return 'failed'
  return code < 0 ? 'negative' : 'ok'
}

function summary({ fuel, ...runs }: Omit<VersionResults, 'meanFuel'> & { fuel: bigint }): VersionResults {
  return { ...runs, meanFuel: Number(fuel / BigInt(runs.ok + runs.negative + runs.failed)) }
}

interface Place {
  readonly version: number
  readonly height: bigint
  readonly index: number
}

/** Where the versions of each module began, oldest first. */
function placesOf(versions: readonly AppletVersion[]): Map<string, Place[]> {
  const places = new Map<string, Place[]>()
  for (const { appletId, codeHash, version, height, index } of versions.toSorted((a, b) => a.version - b.version)) {
    const name = `${appletId}/${codeHash}`
    const known = places.get(name) ?? []
    known.push({ version, height: BigInt(height), index })
    places.set(name, known)
  }
  return places
}

/** The version that ran at a place of the history. Asked from the newest place to the oldest: later versions are dropped. */
function versionAt(
  places: ReadonlyMap<string, Place[]>,
  { appletId, codeHash }: HandlerResult,
  height: bigint,
  index: number,
): number | undefined {
  const own = places.get(`${appletId}/${toHex(codeHash).slice(2)}`) ?? []
  const begun = ({ height: start, index: at }: Place) => start < height || (start === height && at < index)
  while (own.length > 0 && !begun(own.at(-1)!)) own.pop()
  return own.at(-1)?.version
}

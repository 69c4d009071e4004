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
  let left = messages
  let { height } = await reader.tip()
  for (; left > 0 && height > 0n; height--) {
    if (height % BigInt(batchesPerTurn) === 0n) await setImmediate()
    for (const { index, receipt, status } of [...(await reader.messages(height))].reverse().slice(0, left)) {
      left--
      // The results of a repetition are those of the first, which is counted at its own place.
      if (status === 'duplicate') continue
      for (const result of decodeReceipt(receipt).results) {
        const version = versionAt(versions, result, height, index)
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

/** The version that ran at a place of the history. */
function versionAt(
  versions: readonly AppletVersion[],
  result: HandlerResult,
  height: bigint,
  index: number,
): number | undefined {
  const codeHash = toHex(result.codeHash).slice(2)
  const before = versions.filter((version) => {
    const start = BigInt(version.height)
    const begun = start < height || (start === height && version.index < index)
    return begun && version.appletId === result.appletId && version.codeHash === codeHash
  })
  return before.length === 0 ? undefined : Math.max(...before.map(({ version }) => version))
}

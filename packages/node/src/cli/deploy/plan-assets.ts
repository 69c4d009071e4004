import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import type { ProjectChange } from '../../project/definition.ts'
import { contentId } from '../../util/content-id.ts'
import { readBinary } from '../load-module.ts'
import { nothing, type PlanLine, type PlanPart } from './plan-part.ts'
import type { CurrentProject, DesiredAsset, DesiredProject } from './state.ts'

/** Reads the files of the section. @throws CliError CLI_FILE */
export function readAssets(section: Readonly<Record<string, string>>, directory: string): Promise<DesiredAsset[]> {
  return Promise.all(
    Object.entries(section).map(async ([path, file]) => {
      const bytes = await readBinary(resolve(directory, file))
      const hash = createHash('sha256').update(bytes).digest('hex')
      return { path, hash, cid: contentId(hash), bytes }
    }),
  )
}

/** Compares by content; what the project has already, under whatever path, is not sent again. */
export function planAssets({ assets }: DesiredProject, current: CurrentProject | undefined): PlanPart {
  if (!assets) return nothing
  const known = new Map((current?.assets ?? []).map(({ path, cid }) => [path, cid]))
  const there = new Set(known.values())
  const lines: PlanLine[] = []
  for (const { path, cid } of assets) {
    const before = known.get(path)
    known.delete(path)
    if (before !== cid) lines.push({ sign: before ? '~' : '+', what: `asset ${path}`, detail: cid })
  }
  for (const path of known.keys()) lines.push({ sign: '-', what: `asset ${path}`, detail: '' })
  if (lines.length === 0) return nothing
  // The node takes sizes and hashes from what was uploaded; a plan is read by people and scripts, too.
  const wanted = assets.map(({ path, hash, cid, bytes }) => ({ path, hash, cid, size: bytes.length }))
  const change: ProjectChange = { op: 'assets.put', assets: wanted }
  return { changes: [change], files: assets.filter(({ cid }) => !there.has(cid)), lines }
}

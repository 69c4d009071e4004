import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ProjectKey } from '@w3bstream/protocol'
import { databases } from '../../database/index.ts'
import { createEngine } from '../../engine/index.ts'
import { LiveModules } from '../../event/live-modules.ts'
import { type ReplayDeps, type ReplayOptions, type ReplaySummary, replay } from '../../event/replay/replay.ts'
import { vfsKinds } from '../../vfs/index.ts'
import type { DataDirectory } from './data-directory.ts'

/** Replays a project of a data directory on a copy in the system's directory for temporary files, which is removed afterwards. */
export async function replayDirectory(
  directory: DataDirectory,
  project: ProjectKey,
  options: ReplayOptions,
  told: Pick<ReplayDeps, 'onProgress' | 'onDifference'>,
): Promise<ReplaySummary> {
  const place = await mkdtemp(join(tmpdir(), 'w3bstream-replay-'))
  try {
    const engine = createEngine()
    const vfs = vfsKinds.disk({ directory: directory.vfs, readOnly: true })
    return await replay(project, options, {
      database: directory.database(),
      snapshots: directory.snapshots(),
      scratch: databases.sqlite({ directory: place, durable: false }),
      modules: new LiveModules(engine, vfs, { liveModules: 64, blocking: new Set(['chain']) }),
      ...told,
    })
  } finally {
    await rm(place, { recursive: true, force: true })
  }
}

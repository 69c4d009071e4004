import { join } from 'node:path'
import { Snapshots } from '../../src/database/snapshot/snapshots.ts'
import { openSqliteDatabase } from '../../src/database/sqlite/sqlite-database.ts'
import { createEngine } from '../../src/engine/index.ts'
import { LiveModules } from '../../src/event/live-modules.ts'
import type { Difference } from '../../src/event/replay/difference.ts'
import { type ReplayOptions, type ReplaySummary, replay } from '../../src/event/replay/replay.ts'
import type { TestProject, World } from '../../src/event/testing/world.ts'
import { makeTempDirectory, removeDirectory } from './temp.ts'

export function snapshotsOf(world: World): Snapshots {
  return new Snapshots(join(world.directory, 'snapshots'), world.database)
}

/** Executes a project's history again, with modules that are prepared anew. */
export async function replayed(
  world: World,
  project: TestProject,
  options: ReplayOptions = {},
): Promise<ReplaySummary & { readonly found: readonly Difference[] }> {
  const directory = await makeTempDirectory()
  const found: Difference[] = []
  try {
    const summary = await replay(project.key, options, {
      database: world.database,
      snapshots: snapshotsOf(world),
      scratch: openSqliteDatabase({ directory, durable: false }),
      modules: new LiveModules(createEngine(), world.vfs, { liveModules: 16, blocking: new Set(['chain']) }),
      onDifference: (difference) => found.push(difference),
    })
    return { ...summary, found }
  } finally {
    await removeDirectory(directory)
  }
}

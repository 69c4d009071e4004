import { type Commit, commitOf, decodeBatchHeader } from '@w3bstream/protocol'
import type { ProjectReader } from '../database/database.ts'

/** Certificates are written a moment after their batch, so a crash leaves few without; this many are looked through at most. */
const searched = 10_000

/** Commits of the batches at the end of a history that have no certificate, oldest first. */
export async function uncertifiedCommits(reader: ProjectReader): Promise<Commit[]> {
  const { height: last } = await reader.tip()
  const commits: Commit[] = []
  for (let height = last; height > 0n && commits.length < searched; height--) {
    const batch = await reader.batch(height)
    if (!batch || batch.certificate.length > 0) break
    commits.unshift(commitOf(decodeBatchHeader(batch.header), batch))
  }
  return commits
}

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'

/** SHA-256, in hex, of files as they were read, by absolute path; null: there was none, or it could not be read. */
export type Digests = ReadonlyMap<string, string | null>

/** What the files have in them now. */
export async function digestsOf(files: Iterable<string>): Promise<Digests> {
  const digests = new Map<string, string | null>()
  for (const file of new Set(files)) digests.set(file, await digestOf(file))
  return digests
}

/** Whether all files have in them what they had. */
export async function areAsBefore(before: Digests): Promise<boolean> {
  for (const [file, digest] of before) if ((await digestOf(file)) !== digest) return false
  return true
}

async function digestOf(file: string): Promise<string | null> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
    return hash.digest('hex')
  } catch {
    return null
  }
}

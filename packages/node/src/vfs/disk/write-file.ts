import { open, rename, rm } from 'node:fs/promises'

/** Writes a file beside its place and renames it into it: the whole file is there, or none. */
export async function writeWhole(
  path: string,
  bytes: Uint8Array,
  options: { temporary: string; sync: boolean; signal?: AbortSignal },
): Promise<void> {
  const { temporary, sync, signal } = options
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(bytes, { signal })
      if (sync) await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

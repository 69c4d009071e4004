import { open } from 'node:fs/promises'

/** Makes names that were written into a directory survive a power failure: a rename is durable when its directory is. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

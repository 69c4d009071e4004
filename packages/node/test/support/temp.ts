import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A new directory below the system's. */
export function makeTempDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'w3bstream-test-'))
}

export function removeDirectory(directory: string): Promise<void> {
  // A process that was killed a moment ago may still be writing.
  return rm(directory, { recursive: true, force: true, maxRetries: 5 })
}

import { open, readFile, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { ConfigError } from './errors.ts'

/** Lock files of this process, which its number alone would not tell from those of a crashed one. */
const held = new Set<string>()

/**
 * Takes a data directory for this process; two nodes on one would corrupt each other's history. The file holds the process
 * id, so that a lock left by a crash is recognised.
 * @returns gives the directory back
 * @throws ConfigError when another process has it
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const file = resolve(join(directory, 'node.lock'))
  if (held.has(file)) throw inUse(directory, process.pid)
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const handle = await open(file, 'wx', 0o600)
      await handle.writeFile(`${process.pid}\n`)
      await handle.close()
      held.add(file)
      return async () => {
        await rm(file, { force: true })
        held.delete(file)
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      const owner = Number.parseInt(await readFile(file, 'utf8').catch(() => ''), 10)
      if (isAlive(owner)) throw inUse(directory, owner)
      await rm(file, { force: true })
    }
  }
  throw inUse(directory, 0)
}

function inUse(directory: string, owner: number): ConfigError {
  return new ConfigError([
    { field: 'dataDir', value: directory, wanted: `a directory that no other node uses (process ${owner} does)` },
  ])
}

function isAlive(pid: number): boolean {
  // A container gives every node the same small number, its own included.
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

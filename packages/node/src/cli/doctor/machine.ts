import { constants } from 'node:fs'
import { access, stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Finding, fail, ok, warn } from './check.ts'

/** First release with JSPI, `node:sqlite` and type stripping without flags. */
const wantedNode = 24

export function checkNodeVersion(version: string): Finding {
  const major = Number(version.replace(/^v/, '').split('.')[0])
  return major >= wantedNode
    ? ok('Node.js', version)
    : fail('Node.js', `${version} is too old`, `install Node.js ${wantedNode} or newer`)
}

/**
 * Compares the clock with the node's, whose `Date` header has a resolution of a second. Without a node only what cannot be
 * right is seen.
 */
export function checkClock(nowMs: number, nodeDate: string | null): Finding {
  // This program did not exist before.
  if (nowMs < Date.UTC(2025, 0))
    return fail('clock', new Date(nowMs).toISOString(), 'set the clock, for example with NTP')
  const driftMs = nodeDate ? Math.abs(Date.parse(nodeDate) - nowMs) : 0
  if (driftMs > 5000)
    return warn(
      'clock',
      `${Math.round(driftMs / 1000)} s away from the node's`,
      'synchronise both clocks, for example with NTP',
    )
  return ok('clock', new Date(nowMs).toISOString())
}

export async function checkDataDir(dataDir: string): Promise<Finding> {
  const name = 'data directory'
  try {
    const { mode, uid } = await stat(dataDir)
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
    const others = mode & 0o077
    if (others !== 0)
      return warn(name, `${dataDir} is open to others (mode ${(mode & 0o777).toString(8)})`, `chmod 700 ${dataDir}`)
    return ok(name, `${dataDir}, mode 700, owner ${uid}`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      return fail(name, `${dataDir}: ${(error as Error).message}`, 'give it to the user that runs the node')
  }
  const parent = await existingParent(dataDir)
  try {
    await access(parent, constants.W_OK | constants.X_OK)
    return ok(name, `${dataDir} will be made at the first start`)
  } catch {
    return fail(name, `${dataDir} cannot be made in ${parent}`, 'choose another with --data-dir')
  }
}

/** Below the first a node still runs, below the second it refuses writes soon. */
const enoughBytes = 1024 ** 3
const littleBytes = 100 * 1024 ** 2

export async function checkDisk(dataDir: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(await existingParent(dataDir))
  return judgeDisk(bavail * bsize)
}

export function judgeDisk(freeBytes: number): Finding {
  const detail = `${(freeBytes / 1024 ** 3).toFixed(1)} GiB free`
  if (freeBytes < littleBytes) return fail('disk', detail, 'make room: the node refuses events when the disk is full')
  if (freeBytes < enoughBytes) return warn('disk', detail, 'make room soon')
  return ok('disk', detail)
}

async function existingParent(path: string): Promise<string> {
  try {
    await stat(path)
    return path
  } catch {
    const parent = dirname(path)
    return parent === path ? path : await existingParent(parent)
  }
}

import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { SourceMapFile } from '@w3bstream/applet-sdk/tool'

type Env = Readonly<Record<string, string | undefined>>

/** Maps that are kept; those written longest ago go first. A map has tens of kilobytes. */
const maxMaps = 200

/** Longest map that is read, bytes. */
const mapLimitBytes = 64 * 1024 * 1024

const codeHashDigits = 64

/** Where maps are kept: `$XDG_CACHE_HOME/w3bstream/source-maps`, by default below `~/.cache`. */
function mapsDirectory(env: Env): string {
  return join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'w3bstream', 'source-maps')
}

/**
 * Remembers the map of a module that was built here, so that traps of it can be shown with lines of its source, wherever and
 * whenever it runs. It is a cache: where it cannot be written, traps are shown with offsets.
 */
export async function rememberMap(env: Env, map: SourceMapFile): Promise<void> {
  const directory = mapsDirectory(env)
  const file = join(directory, `${map.x_codeHash}.json`)
  try {
    await mkdir(directory, { recursive: true })
    // Replaced whole: another command may be reading it.
    const fresh = `${file}.${process.pid}.new`
    await writeFile(fresh, JSON.stringify(map))
    await rename(fresh, file)
    await forgetOldest(directory)
  } catch {
    // Nothing depends on it.
  }
}

/**
 * The map of a module.
 * @param codeHash its SHA-256, or the beginning of it, hexadecimal without prefix
 */
export async function recallMap(env: Env, codeHash: string): Promise<SourceMapFile | undefined> {
  const directory = mapsDirectory(env)
  if (!/^[0-9a-f]{8,64}$/.test(codeHash)) return undefined
  try {
    const names = codeHash.length === codeHashDigits ? [`${codeHash}.json`] : await readdir(directory)
    const name = names.find((one) => one.startsWith(codeHash) && one.endsWith('.json'))
    return name === undefined ? undefined : await readMap(join(directory, name))
  } catch {
    return undefined
  }
}

/** A map from a file; undefined for one that is absent, damaged or no map of ours. */
export async function readMap(file: string): Promise<SourceMapFile | undefined> {
  try {
    if ((await stat(file)).size > mapLimitBytes) return undefined
    const map = JSON.parse(await readFile(file, 'utf8')) as SourceMapFile
    const isOurs = map.version === 3 && typeof map.x_codeHash === 'string' && Array.isArray(map.x_bodies)
    return isOurs ? map : undefined
  } catch {
    return undefined
  }
}

async function forgetOldest(directory: string): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.json'))
  if (names.length <= maxMaps) return
  const dated = await Promise.all(
    names.map(async (name) => ({ name, atMs: (await stat(join(directory, name))).mtimeMs })),
  )
  const oldest = dated.sort((a, b) => a.atMs - b.atMs).slice(0, names.length - maxMaps)
  await Promise.all(oldest.map(({ name }) => rm(join(directory, name), { force: true })))
}

import { readdir } from 'node:fs/promises'
import { FileWatch } from './file-watch.ts'

/**
 * Runs something now, and again whenever a file of these folders or below them is saved, until Ctrl-C. One run at a time; what
 * is saved meanwhile leads to one more.
 * @param names which files count
 */
export async function watchFolders(folders: readonly string[], names: RegExp, run: () => Promise<void>): Promise<void> {
  let isStale = true
  let running: Promise<void> | undefined
  const runWhileStale = async (): Promise<void> => {
    while (isStale) {
      isStale = false
      watch.set(await withSubfolders(folders))
      await run()
    }
    running = undefined
  }
  const watch = new FileWatch((files) => {
    if (![...files].some((file) => names.test(file))) return
    isStale = true
    running ??= runWhileStale()
  })
  const ended = Promise.withResolvers<void>()
  process.once('SIGINT', ended.resolve)
  try {
    running = runWhileStale()
    await ended.promise
    isStale = false
    await running
  } finally {
    process.off('SIGINT', ended.resolve)
    watch.close()
  }
}

/** The first folder is watched alone: an applet's own may have anything in it. */
async function withSubfolders([first = '', ...others]: readonly string[]): Promise<readonly string[]> {
  const lists = others.map(async (folder) => {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
    return [
      folder,
      ...entries.filter((entry) => entry.isDirectory()).map((entry) => `${entry.parentPath}/${entry.name}`),
    ]
  })
  return [first, ...(await Promise.all(lists)).flat()]
}

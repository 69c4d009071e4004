import { isAbsolute, relative } from 'node:path'

/** A path as messages show it: relative below the working directory, which terminals and editors can open, else as it is. */
export function displayPath(cwd: string, file: string): string {
  if (!isAbsolute(file)) return file
  const path = relative(cwd, file)
  return path.startsWith('..') ? file : path
}

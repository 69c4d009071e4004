import type { Asset } from './definition.ts'

/** Files that a project deploys at most: enough for a model in parts or a site of templates. */
const maxAssets = 1000
const maxPathBytes = 512

/** What is wrong with the files of a project, in one sentence; nothing when applets can find each of them. */
export function assetProblem(assets: readonly Asset[]): string | undefined {
  if (assets.length > maxAssets) return `${assets.length} assets, at most ${maxAssets}`
  const paths = new Set<string>()
  for (const { path, hash, size } of assets) {
    const problem = assetPathProblem(path)
    if (problem !== undefined) return `asset ${JSON.stringify(path)}: ${problem}`
    if (paths.has(path)) return `asset ${JSON.stringify(path)} is there twice`
    if (!/^[0-9a-f]{64}$/.test(hash)) return `asset ${JSON.stringify(path)}: its hash is no SHA-256`
    if (!Number.isSafeInteger(size) || size < 0) return `asset ${JSON.stringify(path)}: its size is no number of bytes`
    paths.add(path)
  }
  for (const path of paths)
    for (let cut = path.indexOf('/'); cut !== -1; cut = path.indexOf('/', cut + 1))
      if (paths.has(path.slice(0, cut))) return `asset ${JSON.stringify(path)} lies below another asset`
  return undefined
}

/** What is wrong with the path of an asset: it is relative, of plain names, as a guest would write it. */
export function assetPathProblem(path: string): string | undefined {
  if (path === '') return 'a path is wanted'
  if (new TextEncoder().encode(path).length > maxPathBytes) return `longer than ${maxPathBytes} bytes`
  // A lone half of a surrogate pair has no UTF-8, and a path with a NUL cannot be opened.
  if (!path.isWellFormed() || path.includes('\0')) return 'not a text that a path can be'
  const names = path.split('/')
  if (names.includes('')) return 'wanted: names separated by single slashes, such as `models/a.bin`'
  if (names.some((name) => name === '.' || name === '..')) return '`.` and `..` lead nowhere'
  if (names.some((name) => new TextEncoder().encode(name).length > 255)) return 'a name is longer than 255 bytes'
  return undefined
}

import type { FileNode, FileTree } from './file-tree.ts'
import { fileFault, type Steps } from './steps.ts'

const maxNameBytes = 255
/** Names in a path. */
const maxDepth = 128

/** Where a path leads. */
export interface Place {
  readonly directory: FileNode
  /** Empty when the path ends in `.` or `..`: then it names the directory itself. */
  readonly name: string
  readonly node: FileNode | undefined
  /** The path ends with a slash, so that only a directory will do. */
  readonly slash: boolean
}

/**
 * Follows a path from a directory. `..` goes back along the way that the path itself took, and no further: nothing above
 * the starting point can be named.
 * @throws fileFault notcapable when the path leaves the directory, noent, notdir, nametoolong, inval
 */
export function* follow(tree: FileTree, from: FileNode, path: string): Steps<Place> {
  const { names, slash } = split(path)
  const way = [from]
  for (const [index, name] of names.entries()) {
    const directory = way.at(-1)!
    if (name === '.') continue
    if (name === '..') {
      if (way.length === 1) throw fileFault('notcapable')
      way.pop()
      continue
    }
    const node: FileNode | undefined = yield* tree.find(directory, name)
    if (index === names.length - 1) return { directory, name, node, slash }
    if (node === undefined) throw fileFault('noent')
    if (node.kind === 'file') throw fileFault('notdir')
    way.push(node)
  }
  const directory = way.at(-1)!
  return { directory, name: '', node: directory, slash }
}

/** The node at the end of a path. @throws fileFault */
export function* followTo(tree: FileTree, from: FileNode, path: string): Steps<FileNode> {
  const { node, slash } = yield* follow(tree, from, path)
  if (node === undefined) throw fileFault('noent')
  if (slash && node.kind === 'file') throw fileFault('notdir')
  return node
}

function split(path: string): { names: string[]; slash: boolean } {
  if (path === '') throw fileFault('noent')
  if (path.startsWith('/')) throw fileFault('notcapable')
  if (path.includes('\0')) throw fileFault('inval')
  const names = path.split('/').filter((name) => name !== '')
  if (names.length > maxDepth || names.some((name) => Buffer.byteLength(name) > maxNameBytes))
    throw fileFault('nametoolong')
  return { names, slash: path.endsWith('/') }
}

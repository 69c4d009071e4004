import { hash } from 'node:crypto'
import { VfsError } from './errors.ts'

/** The name of these bytes: their SHA-256, hexadecimal. */
export function contentName(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex')
}

/**
 * A name that is one. Whatever else a caller passes, such as a path, goes no further than this.
 * @throws VfsError FILE_NAME
 */
export function checkName(name: string): string {
  if (!/^[0-9a-f]{64}$/.test(name)) throw badName(name)
  return name
}

/** The same for the short name of derived bytes. @throws VfsError FILE_NAME */
export function checkDerivedName(name: string): string {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) throw badName(name)
  return name
}

/** @throws VfsError FILE_CORRUPT */
export function checkContent(name: string, bytes: Uint8Array): Uint8Array {
  const found = contentName(bytes)
  if (found !== name) throw new VfsError({ code: 'FILE_CORRUPT', hash: name, found })
  return bytes
}

function badName(name: string): VfsError {
  return new VfsError({ code: 'FILE_NAME', name: String(name).slice(0, 80) })
}

import { randomUUID } from 'node:crypto'
import { open, readFile, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { syncDirectory } from '../../util/sync-directory.ts'
import { WalletError } from '../errors.ts'

/** Files of a keystore are a few hundred bytes; a longer one was not written here. */
const maxFileBytes = 16 * 1024

/** Writes a file of mode 0600 so that after a crash it is there whole or not at all. */
export async function writePrivateFile(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomUUID()}.tmp`
  try {
    const handle = await open(draft, 'wx', 0o600)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(draft, file)
  } catch (error) {
    await unlink(draft).catch(() => {})
    throw error
  }
  await syncDirectory(dirname(file))
}

/** @returns undefined when there is no such file. @throws WalletError KEYSTORE_CORRUPT when it is too long */
export async function readPrivateFile(file: string): Promise<string | undefined> {
  let bytes: Buffer
  try {
    bytes = await readFile(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  if (bytes.length > maxFileBytes)
    throw new WalletError({ code: 'KEYSTORE_CORRUPT', file, detail: `${bytes.length} bytes, at most ${maxFileBytes}` })
  return bytes.toString('utf8')
}

/** Reads the JSON of a keystore file and holds it against its schema. @throws WalletError KEYSTORE_CORRUPT */
export function jsonReader<S extends Type.TSchema>(schema: S): (file: string, text: string) => Type.Static<S> {
  const validator = Compile(schema)
  return (file, text) => {
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (cause) {
      throw new WalletError({ code: 'KEYSTORE_CORRUPT', file, detail: 'not JSON' }, { cause })
    }
    if (validator.Check(value)) return value
    const [first] = validator.Errors(value)
    const detail = first ? `${first.instancePath || '/'} ${first.message}` : 'does not fit its schema'
    throw new WalletError({ code: 'KEYSTORE_CORRUPT', file, detail })
  }
}

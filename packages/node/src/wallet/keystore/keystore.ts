import { randomBytes } from 'node:crypto'
import { chmod, mkdir, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { fromHex, toHex } from '@w3bstream/protocol'
import { Type } from 'typebox'
import type { Logger } from '../../telemetry/logger.ts'
import { WalletError } from '../errors.ts'
import { jsonReader, readPrivateFile, writePrivateFile } from './files.ts'
import { openMasterKey } from './master-key.ts'
import { cipherSchema, decrypt, encrypt, fileKey, hkdfSchema } from './seal.ts'

const keyType = Type.Union([Type.Literal('secp256k1'), Type.Literal('ed25519'), Type.Literal('secret')])

/** A 32-byte secret with what is known of it in public. */
export interface StoredKey {
  readonly type: Type.Static<typeof keyType>
  /** Empty for a secret that has none. */
  readonly address: string
  readonly secret: Uint8Array
}

const schema = Type.Object(
  {
    version: Type.Literal(1),
    name: Type.String(),
    type: keyType,
    address: Type.String(),
    crypto: Type.Object({ kdf: hkdfSchema, cipher: cipherSchema }, { additionalProperties: false }),
  },
  { additionalProperties: false },
)
type KeyFile = Type.Static<typeof schema>
const readKey = jsonReader(schema)

/**
 * Secrets at rest: one file for each in `keystore/`, encrypted under the master key. The public fields of a file are bound
 * into its encryption, so a file that was edited, or put in the place of another one, does not open.
 */
export class Keystore {
  readonly #directory: string
  readonly #master: Uint8Array

  private constructor(directory: string, master: Uint8Array) {
    this.#directory = directory
    this.#master = master
  }

  /**
   * @param directory the node's data directory: holds `keystore/` and, without a passphrase, `keystore.key`
   * @throws WalletError PASSPHRASE_WRONG, KEYSTORE_CORRUPT
   */
  static async open(directory: string, passphrase: string | undefined, logger: Logger): Promise<Keystore> {
    const own = join(directory, 'keystore')
    await mkdir(own, { recursive: true, mode: 0o700 })
    // The directory may have been made, or restored from a backup, with a wider mode.
    await chmod(own, 0o700)
    const files = { master: join(own, 'master.json'), keyFile: join(directory, 'keystore.key') }
    const fresh = !(await readdir(own)).some((name) => name.endsWith('.json') && name !== 'master.json')
    return new Keystore(own, await openMasterKey(files, { passphrase, fresh }, logger))
  }

  /** Writes a secret; it is on disk when the promise resolves. */
  async put(name: string, { type, address, secret }: StoredKey): Promise<void> {
    const salt = randomBytes(32)
    const file: KeyFile = {
      version: 1,
      name,
      type,
      address,
      crypto: {
        kdf: { function: 'hkdf-sha256', params: { salt: toHex(salt) } },
        cipher: encrypt(fileKey(this.#master, salt), context(name, type, address), secret),
      },
    }
    await writePrivateFile(this.#path(name), `${JSON.stringify(file, null, 2)}\n`)
  }

  /** @returns undefined when there is no such key. @throws WalletError KEYSTORE_CORRUPT */
  async get(name: string): Promise<StoredKey | undefined> {
    const path = this.#path(name)
    const text = await readPrivateFile(path)
    if (text === undefined) return undefined
    const file = readKey(path, text)
    const key = fileKey(this.#master, fromHex(file.crypto.kdf.params.salt))
    const secret = decrypt(key, context(name, file.type, file.address), file.crypto.cipher)
    if (!secret)
      throw new WalletError({ code: 'KEYSTORE_CORRUPT', file: path, detail: 'changed, or written for another name' })
    return { type: file.type, address: file.address, secret }
  }

  /** Removing what is not there is no error. */
  async remove(name: string): Promise<void> {
    await unlink(this.#path(name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
  }

  /** Overwrites the master key in memory; nothing can be read or written afterwards. */
  close(): void {
    this.#master.fill(0)
  }

  #path(name: string): string {
    if (!/^[a-z0-9-]{1,64}$/.test(name)) throw new RangeError(`name of a key: ${JSON.stringify(name)}`)
    return join(this.#directory, `${name}.json`)
  }
}

function context(name: string, type: string, address: string): string {
  return JSON.stringify(['w3bstream/keystore/key', name, type, address])
}

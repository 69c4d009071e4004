import { createHash, randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { chmod, unlink } from 'node:fs/promises'
import { fromHex, toHex } from '@w3bstream/protocol'
import { Type } from 'typebox'
import type { Logger } from '../../telemetry/logger.ts'
import { WalletError } from '../errors.ts'
import { jsonReader, readPrivateFile, writePrivateFile } from './files.ts'
import { cipherSchema, decrypt, encrypt } from './seal.ts'

/**
 * The master key encrypts every other key of the keystore. It rests in `master.json`, itself encrypted under the passphrase
 * (or the key file), by scrypt. So a start pays for scrypt once however many keys there are: 128 MiB and a third of a
 * second for each operator would make the start of a node with a thousand of them take minutes.
 */
export interface MasterKeyFiles {
  /** `master.json` */
  readonly master: string
  /** `keystore.key`: 32 random bytes as hexadecimal, in place of a passphrase. */
  readonly keyFile: string
}

type Protection = 'passphrase' | 'key-file'

/**
 * Cost of scrypt with r = 8, p = 1. 2^17 (128 MiB) is what OWASP's password storage sheet asks for. A key file holds 256
 * random bits, which nobody guesses, so stretching it only has to be done, not to be dear.
 */
const cost: Readonly<Record<Protection, number>> = { passphrase: 2 ** 17, 'key-file': 2 ** 10 }

/** A changed file must not make the node take all memory: 2^20 is 1 GiB. */
const maxCost = 2 ** 20

const schema = Type.Object(
  {
    version: Type.Literal(1),
    protectedBy: Type.Union([Type.Literal('passphrase'), Type.Literal('key-file')]),
    crypto: Type.Object(
      {
        kdf: Type.Object(
          {
            function: Type.Literal('scrypt'),
            params: Type.Object(
              {
                n: Type.Integer({ minimum: 2 ** 10, maximum: maxCost }),
                r: Type.Literal(8),
                p: Type.Literal(1),
                salt: Type.String({ pattern: '^0x[0-9a-f]{64}$' }),
              },
              { additionalProperties: false },
            ),
          },
          { additionalProperties: false },
        ),
        checksum: Type.Object(
          { function: Type.Literal('sha256'), message: Type.String({ pattern: '^0x[0-9a-f]{64}$' }) },
          { additionalProperties: false },
        ),
        cipher: cipherSchema,
      },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
)
type MasterFile = Type.Static<typeof schema>
const readMaster = jsonReader(schema)
const context = 'w3bstream/keystore/master'

/**
 * Opens the master key, or makes it at the first start. A keystore that was kept under its key file moves under the
 * passphrase when one is given; the key file is then removed.
 * @param fresh whether the keystore holds no keys yet: only then may a missing `master.json` be made anew
 * @throws WalletError PASSPHRASE_WRONG, KEYSTORE_CORRUPT
 */
export async function openMasterKey(
  files: MasterKeyFiles,
  options: { passphrase: string | undefined; fresh: boolean },
  logger: Logger,
): Promise<Uint8Array> {
  const text = await readPrivateFile(files.master)
  if (text === undefined) return createMasterKey(files, options, logger)
  const file = readMaster(files.master, text)
  if (file.protectedBy === 'passphrase') {
    if (!options.passphrase) throw new WalletError({ code: 'PASSPHRASE_WRONG', file: files.master, reason: 'missing' })
    await dropKeyFile(files)
    return unwrap(files, file, options.passphrase)
  }
  const master = await unwrap(files, file, await existingKeyFile(files))
  if (options.passphrase) {
    await wrap(files, master, options.passphrase, 'passphrase')
    await dropKeyFile(files)
    logger.info('keystore moved from its key file under the passphrase')
  }
  return master
}

async function createMasterKey(
  files: MasterKeyFiles,
  options: { passphrase: string | undefined; fresh: boolean },
  logger: Logger,
): Promise<Uint8Array> {
  if (!options.fresh)
    throw new WalletError({ code: 'KEYSTORE_CORRUPT', file: files.master, detail: 'missing, while there are keys' })
  const master = new Uint8Array(randomBytes(32))
  if (options.passphrase) await wrap(files, master, options.passphrase, 'passphrase')
  else await wrap(files, master, await createKeyFile(files), 'key-file')
  logger.info('keystore made', { protectedBy: options.passphrase ? 'passphrase' : 'key-file' })
  return master
}

/** The key file left by a first start that was cut short, else a new one. */
async function createKeyFile(files: MasterKeyFiles): Promise<string> {
  if ((await readPrivateFile(files.keyFile)) !== undefined) return existingKeyFile(files)
  const key = randomBytes(32).toString('hex')
  await writePrivateFile(files.keyFile, `${key}\n`)
  return key
}

async function existingKeyFile(files: MasterKeyFiles): Promise<string> {
  const text = (await readPrivateFile(files.keyFile))?.trim()
  if (text === undefined) throw new WalletError({ code: 'PASSPHRASE_WRONG', file: files.keyFile, reason: 'missing' })
  if (!/^[0-9a-f]{64}$/.test(text))
    throw new WalletError({ code: 'KEYSTORE_CORRUPT', file: files.keyFile, detail: 'wanted 64 hexadecimal digits' })
  await chmod(files.keyFile, 0o600)
  return text
}

/** Also finishes a move under the passphrase that was cut short between its two steps. */
async function dropKeyFile(files: MasterKeyFiles): Promise<void> {
  await unlink(files.keyFile).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}

async function wrap(
  files: MasterKeyFiles,
  master: Uint8Array,
  passphrase: string,
  protectedBy: Protection,
): Promise<void> {
  const params = { n: cost[protectedBy], r: 8, p: 1, salt: toHex(randomBytes(32)) } as const
  const { key, check } = await stretch(passphrase, params)
  const file: MasterFile = {
    version: 1,
    protectedBy,
    crypto: {
      kdf: { function: 'scrypt', params },
      checksum: { function: 'sha256', message: toHex(check) },
      cipher: encrypt(key, context, master),
    },
  }
  await writePrivateFile(files.master, `${JSON.stringify(file, null, 2)}\n`)
}

async function unwrap(files: MasterKeyFiles, file: MasterFile, passphrase: string): Promise<Uint8Array> {
  const { kdf, checksum, cipher } = file.crypto
  const { key, check } = await stretch(passphrase, kdf.params)
  // The checksum of the stretched key's second half tells a wrong passphrase from a damaged file.
  if (!timingSafeEqual(check, fromHex(checksum.message)))
    throw new WalletError({ code: 'PASSPHRASE_WRONG', file: files.master, reason: 'mismatch' })
  const master = decrypt(key, context, cipher)
  if (!master)
    throw new WalletError({ code: 'KEYSTORE_CORRUPT', file: files.master, detail: 'the cipher text was changed' })
  return master
}

/** @returns the key that encrypts, and the hash of as many bytes again that no one learns the key from */
async function stretch(
  passphrase: string,
  { n, r, p, salt }: { n: number; r: number; p: number; salt: string },
): Promise<{ key: Uint8Array; check: Buffer }> {
  // EIP-2335 normalises to NFKD, so that the same words typed on another keyboard open the file.
  const bytes = await scryptAsync(passphrase.normalize('NFKD'), fromHex(salt), { N: n, r, p, maxmem: 256 * n * r })
  return { key: bytes.subarray(0, 32), check: createHash('sha256').update(bytes.subarray(32)).digest() }
}

function scryptAsync(passphrase: string, salt: Uint8Array, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) =>
    scrypt(passphrase, salt, 64, options, (error, key) => (error ? reject(error) : resolve(key))),
  )
}

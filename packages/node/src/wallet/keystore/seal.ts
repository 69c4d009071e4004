import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { fromHex, toHex } from '@w3bstream/protocol'
import { Type } from 'typebox'

const hex = (bytes: number) => Type.String({ pattern: `^(0x)?[0-9a-fA-F]{${bytes * 2}}$` })

/** The `cipher` module of a keystore file, laid out as in EIP-2335. */
export const cipherSchema = Type.Object(
  {
    function: Type.Literal('aes-256-gcm'),
    params: Type.Object({ iv: hex(12), tag: hex(16) }, { additionalProperties: false }),
    message: hex(32),
  },
  { additionalProperties: false },
)
export type Cipher = Type.Static<typeof cipherSchema>

/** The `kdf` module of a key's file: its own key follows from the master key. */
export const hkdfSchema = Type.Object(
  { function: Type.Literal('hkdf-sha256'), params: Type.Object({ salt: hex(32) }, { additionalProperties: false }) },
  { additionalProperties: false },
)

/** Encrypts 32 bytes. @param context what they are; they open under the same context only */
export function encrypt(key: Uint8Array, context: string, secret: Uint8Array): Cipher {
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(context))
  const message = Buffer.concat([cipher.update(secret), cipher.final()])
  const params = { iv: toHex(iv), tag: toHex(cipher.getAuthTag()) }
  return { function: 'aes-256-gcm', params, message: toHex(message) }
}

/** @returns undefined when the key, the context or the cipher text is not the one of the encryption */
export function decrypt(key: Uint8Array, context: string, cipher: Cipher): Uint8Array | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key, fromHex(cipher.params.iv)).setAAD(Buffer.from(context))
  decipher.setAuthTag(fromHex(cipher.params.tag))
  try {
    return new Uint8Array(Buffer.concat([decipher.update(fromHex(cipher.message)), decipher.final()]))
  } catch {
    return undefined
  }
}

/** The key of one file. */
export function fileKey(master: Uint8Array, salt: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', master, salt, 'w3bstream/keystore/file', 32))
}

import { sha256 } from '#sha256'
import { Writer } from './bytes/codec.ts'
import { type Hex, toHex } from './bytes/hex.ts'

/** A project's own id: 32 bytes, as lower-case hexadecimal with prefix. */
export type ProjectKey = Hex

/** An id as the management API writes it: a decimal string of at most 63 bits. */
export type Sfid = string

const domain = new TextEncoder().encode('w3bstream/id/v1')

/** Derives the 63-bit id of something that was created by the message at (`height`, `index`) of a project's history. */
export function deriveSfid(project: Uint8Array, kind: string, height: bigint, index: number, ordinal = 0): Sfid {
  const body = new Writer().raw(project).text(kind).u64(height).uint(index).uint(ordinal).view()
  return sfidFromBytes(sha256(domain, body))
}

/** The id by which the management API calls a project: the first 63 bits of its own id. */
export function sfidFromBytes(bytes: Uint8Array): Sfid {
  const top = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0) >> 1n
  return (top === 0n ? 1n : top).toString()
}

/** A project's own id from its creator, name and a random nonce. */
export function deriveProjectKey(accountId: Sfid, name: string, nonce: Uint8Array): ProjectKey {
  const body = new Writer().text(accountId).text(name).bytes(nonce).view()
  return toHex(sha256(new TextEncoder().encode('w3bstream/project/v1'), body))
}

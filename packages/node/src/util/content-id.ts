import { fromHex, toHex } from '@w3bstream/protocol'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { create } from 'multiformats/hashes/digest'

/** Code of SHA-256 among multihashes. */
const sha256Code = 0x12
/** Longer than any content id of 32 bytes in any base that is read. */
const maxIdLength = 128

/** The content id of a file: CIDv1, codec raw, SHA-256, in base 32. @param hash its name in the VFS */
export function contentId(hash: string): string {
  return CID.createV1(raw.code, create(sha256Code, fromHex(`0x${hash}`, 32))).toString()
}

/**
 * The name in the VFS that people mean: a content id as {@link contentId} writes it, or the hash itself with or without
 * prefix. Nothing when it is neither, or a content id of another kind.
 */
export function hashFromId(id: string): string | undefined {
  const hex = /^(?:0x)?([0-9a-fA-F]{64})$/.exec(id)?.[1]
  if (hex !== undefined) return hex.toLowerCase()
  if (id.length > maxIdLength) return undefined
  const cid = parse(id)
  if (cid?.version !== 1 || cid.code !== raw.code) return undefined
  const { code, digest } = cid.multihash
  return code === sha256Code && digest.length === 32 ? toHex(digest).slice(2) : undefined
}

function parse(id: string): CID | undefined {
  try {
    return CID.parse(id)
  } catch {
    return undefined
  }
}

import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { create } from 'multiformats/hashes/digest'
import { expect, it } from 'vitest'
import { contentName } from '../vfs/content-name.ts'
import { contentId, hashFromId } from './content-id.ts'

const digest = create(0x12, new Uint8Array(32))
/** Content ids of other kinds: version 0, another codec, another hash, a digest of another length. */
const others = [
  CID.createV0(digest),
  CID.createV1(0x70, digest),
  CID.createV1(raw.code, create(0x1b, new Uint8Array(32))),
  CID.createV1(raw.code, create(0x12, new Uint8Array(31))),
]
const hello = new TextEncoder().encode('hello world')

it('names bytes as IPFS does', () => {
  // `ipfs add --cid-version 1 --raw-leaves` of these bytes.
  expect(contentId(contentName(hello))).toBe('bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e')
})

it('reads content ids and hashes', () => {
  const hash = contentName(hello)
  for (const id of [contentId(hash), hash, `0x${hash}`, hash.toUpperCase()]) expect(hashFromId(id)).toBe(hash)
})

it.each(['', 'bafkrei', 'x'.repeat(1000), `${'a'.repeat(63)}`, ...others.map(String)])('knows no file by %j', (id) => {
  expect(hashFromId(id)).toBeUndefined()
})

/**
 * Public keys of devices, as `did:key` writes them: a multicodec prefix, then the key. The checks here are the part of
 * signature verification on which libraries differ; making them alike keeps all members of a subnet of one opinion.
 */
import { fromBase58, toBase58 } from './bytes/base58.ts'
import { fromHex, toHex } from './bytes/hex.ts'
import { ProtocolError } from './error.ts'

export const keyTypes = ['ed25519', 'secp256k1', 'p256'] as const
export type KeyType = (typeof keyTypes)[number]

/** A key taken apart: its kind, and the key itself: 32 bytes (ed25519) or a compressed point of 33. */
export interface DeviceKey {
  readonly type: KeyType
  readonly publicKey: Uint8Array
}

/** Multicodec numbers as varints: 0xed, 0xe7, 0x1200. */
const prefixes: Readonly<Record<KeyType, readonly [number, number]>> = {
  ed25519: [0xed, 0x01],
  secp256k1: [0xe7, 0x01],
  p256: [0x80, 0x24],
}

/** Multicodec prefix and compressed point: the longest of the three kinds. */
export const deviceKeyBytes = 35

/** 35 bytes in base58: 35 · log 256 / log 58, rounded up. */
const didCharacters = 48

/** Multicodec bytes of a raw public key. @throws ProtocolError CODEC_VALUE */
export function encodeDeviceKey(key: DeviceKey): Uint8Array {
  const bytes = Uint8Array.from([...prefixes[key.type], ...key.publicKey])
  decodeDeviceKey(bytes)
  return bytes
}

/** @throws ProtocolError CODEC_VALUE for an unknown kind, a wrong length, or a key that is not in its one accepted form */
export function decodeDeviceKey(bytes: Uint8Array): DeviceKey {
  const type = keyTypes.find((name) => prefixes[name][0] === bytes[0] && prefixes[name][1] === bytes[1])
  const publicKey = bytes.subarray(2)
  if (!type) refuse(bytes, 'the multicodec prefix of ed25519, secp256k1 or p256')
  if (type === 'ed25519') {
    if (publicKey.length !== 32) refuse(bytes, '32 bytes after the prefix')
    if (!isCanonicalY(publicKey)) refuse(bytes, 'a canonical ed25519 key')
    if (isSmallOrder(publicKey)) refuse(bytes, 'an ed25519 key of large order')
  } else if (publicKey.length !== 33 || (publicKey[0] !== 2 && publicKey[0] !== 3)) {
    refuse(bytes, 'a compressed point of 33 bytes after the prefix')
  }
  return { type, publicKey }
}

/** `did:key:z…` of multicodec key bytes. @throws ProtocolError CODEC_VALUE */
export function didKeyFromPublicKey(device: Uint8Array): string {
  decodeDeviceKey(device)
  return `did:key:z${toBase58(device)}`
}

/** Multicodec key bytes of a `did:key`. @throws ProtocolError CODEC_VALUE, CODEC_LIMIT */
export function publicKeyFromDidKey(did: string): Uint8Array {
  if (!did.startsWith('did:key:z'))
    throw new ProtocolError({ code: 'CODEC_VALUE', field: 'device', value: did, wanted: 'did:key:z…' })
  const bytes = fromBase58(did.slice('did:key:z'.length), didCharacters)
  decodeDeviceKey(bytes)
  return bytes
}

function refuse(bytes: Uint8Array, wanted: string): never {
  throw new ProtocolError({ code: 'CODEC_VALUE', field: 'device', value: toHex(bytes.subarray(0, 40)), wanted })
}

/** y below 2^255 − 19 (RFC 8032, 5.1.3); little-endian, the top bit is the sign of x. */
function isCanonicalY(key: Uint8Array): boolean {
  if ((key[31]! & 0x7f) !== 0x7f || key[0]! < 0xed) return true
  for (let i = 1; i < 31; i++) if (key[i] !== 0xff) return true
  return false
}

/** y of the eight points of small order, under which a signature can fit many messages: 0, 1, −1, and two of order 8. */
const smallOrderY = [
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  `ec${'ff'.repeat(30)}7f`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
].map((hex) => fromHex(hex))

function isSmallOrder(key: Uint8Array): boolean {
  return smallOrderY.some((y) => y.every((byte, i) => (i === 31 ? key[i]! & 0x7f : key[i]) === byte))
}

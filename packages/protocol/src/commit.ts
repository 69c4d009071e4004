import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import type { BatchHeader } from './batch.ts'
import { Reader, Writer } from './bytes/codec.ts'
import { concatBytes, equalBytes, fromHex } from './bytes/hex.ts'
import { ProtocolError } from './error.ts'
import { keccakTree, merkleRoot } from './merkle.ts'

/**
 * What a member states about an executed batch. A quorum of such signatures is the certificate, which a contract can check.
 * The EIP-712 domain has neither chain nor contract: destination and chain stand in the leaves of `effects`.
 */
export interface Commit {
  readonly project: Uint8Array
  readonly epoch: bigint
  readonly height: bigint
  /** Hash of the batch's header. */
  readonly batch: Uint8Array
  /** Root over receipts, SHA-256. */
  readonly receipts: Uint8Array
  /** Root over effects, Keccak-256. */
  readonly effects: Uint8Array
  /** Root over facts, Keccak-256; of an empty tree until facts are declared. */
  readonly facts: Uint8Array
  /** Running digest over all logical writes of the project's history. */
  readonly state: Uint8Array
}

/** Root of a tree without leaves, Keccak-256: of effects when there are none, of facts until some are declared. */
export const emptyKeccakRoot = merkleRoot([], keccakTree)

/** What a member states about a batch that it executed. */
export function commitOf(
  { project, epoch, height }: Pick<BatchHeader, 'project' | 'epoch' | 'height'>,
  executed: { hash: Uint8Array; receiptsRoot: Uint8Array; effectsRoot: Uint8Array; stateDigest: Uint8Array },
): Commit {
  const { hash, receiptsRoot, effectsRoot, stateDigest } = executed
  return {
    project,
    epoch,
    height,
    batch: hash,
    receipts: receiptsRoot,
    effects: effectsRoot,
    facts: emptyKeccakRoot,
    state: stateDigest,
  }
}

export interface CommitSignature {
  /** Address of the member, 20 bytes. */
  readonly member: Uint8Array
  /** r ‖ s ‖ v, 65 bytes, v 27 or 28. */
  readonly signature: Uint8Array
}

export interface Certificate {
  readonly commit: Commit
  /** In ascending order of the members' addresses, each once. */
  readonly signatures: readonly CommitSignature[]
}

export const commitTypeString =
  'Commit(bytes32 project,uint64 epoch,uint64 height,bytes32 batch,bytes32 receipts,bytes32 effects,bytes32 facts,bytes32 state)'
const ascii = new TextEncoder()
const typeHash = keccak_256(ascii.encode(commitTypeString))

/** `hashStruct` of the domain `{name: "W3bstream", version: "1"}`. EIP-712. */
export const commitDomainSeparator = keccak_256(
  concatBytes(
    keccak_256(ascii.encode('EIP712Domain(string name,string version)')),
    keccak_256(ascii.encode('W3bstream')),
    keccak_256(ascii.encode('1')),
  ),
)

/** The 32 bytes that members sign: `keccak256(0x1901 ‖ domainSeparator ‖ hashStruct(commit))`. EIP-712. */
export function commitDigest(commit: Commit): Uint8Array {
  const words = new Uint8Array(9 * 32)
  words.set(typeHash, 0)
  words.set(commit.project, 32)
  const view = new DataView(words.buffer)
  view.setBigUint64(64 + 24, commit.epoch)
  view.setBigUint64(96 + 24, commit.height)
  words.set(commit.batch, 128)
  words.set(commit.receipts, 160)
  words.set(commit.effects, 192)
  words.set(commit.facts, 224)
  words.set(commit.state, 256)
  return keccak_256(concatBytes(Uint8Array.of(0x19, 0x01), commitDomainSeparator, keccak_256(words)))
}

/** The address whose key made a 65-byte signature, or nothing when the signature is not one. */
export function recoverSigner(digest: Uint8Array, signature: Uint8Array): Uint8Array | undefined {
  const v = signature[64]
  if (signature.length !== 65 || (v !== 27 && v !== 28)) return undefined
  try {
    const parsed = secp256k1.Signature.fromBytes(signature.subarray(0, 64), 'compact').addRecoveryBit(v - 27)
    // A second, equally valid signature with the high s would let an outsider alter a certificate (EIP-2).
    if (parsed.hasHighS()) return undefined
    const key = parsed.recoverPublicKey(digest).toBytes(false)
    return keccak_256(key.subarray(1)).subarray(12)
  } catch {
    return undefined
  }
}

/**
 * Whether a certificate has at least `quorum` signatures of different members.
 * @param members addresses of the committee of the certificate's epoch
 */
export function verifyCertificate(certificate: Certificate, members: readonly Uint8Array[], quorum: number): boolean {
  const digest = commitDigest(certificate.commit)
  const seen: Uint8Array[] = []
  for (const { member, signature } of certificate.signatures) {
    const signer = recoverSigner(digest, signature)
    if (!signer || !equalBytes(signer, member)) return false
    if (!members.some((m) => equalBytes(m, member)) || seen.some((m) => equalBytes(m, member))) return false
    seen.push(member)
  }
  return seen.length >= quorum
}

export function encodeCertificate({ commit, signatures }: Certificate): Uint8Array {
  const writer = new Writer(512)
    .u8(1)
    .raw(commit.project)
    .u64(commit.epoch)
    .u64(commit.height)
    .raw(commit.batch)
    .raw(commit.receipts)
    .raw(commit.effects)
    .raw(commit.facts)
    .raw(commit.state)
    .uint(signatures.length)
  for (const { member, signature } of signatures) writer.raw(member).raw(signature)
  return writer.finish()
}

/** @throws ProtocolError */
export function decodeCertificate(bytes: Uint8Array): Certificate {
  const reader = new Reader(bytes)
  const version = reader.u8()
  if (version !== 1)
    throw new ProtocolError({ code: 'CODEC_VALUE', field: 'version', value: `${version}`, wanted: '1' })
  const commit: Commit = {
    project: reader.raw(32),
    epoch: reader.u64(),
    height: reader.u64(),
    batch: reader.raw(32),
    receipts: reader.raw(32),
    effects: reader.raw(32),
    facts: reader.raw(32),
    state: reader.raw(32),
  }
  const count = reader.uint()
  if (count > 1024) throw new ProtocolError({ code: 'CODEC_LIMIT', field: 'signatures', size: count, limit: 1024 })
  const signatures = Array.from({ length: count }, () => ({ member: reader.raw(20), signature: reader.raw(65) }))
  reader.end()
  return { commit, signatures }
}

/** Reads an address of 20 bytes. @throws ProtocolError HEX_INVALID */
export function parseAddress(text: string): Uint8Array {
  return fromHex(text, 20)
}

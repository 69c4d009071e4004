export { sha256 } from '#sha256'
export { rewardTokenAbi } from './abi/reward-token.ts'
export { type BatchHeader, batchHash, type ChainHead, decodeBatchHeader, encodeBatchHeader } from './batch.ts'
export { fromBase58, toBase58 } from './bytes/base58.ts'
export { fromBase64, toBase64 } from './bytes/base64.ts'
export { Reader, Writer } from './bytes/codec.ts'
export { concatBytes, equalBytes, fromHex, type Hex, toHex } from './bytes/hex.ts'
export {
  type Certificate,
  type Commit,
  type CommitSignature,
  commitDigest,
  commitDomainSeparator,
  commitOf,
  commitTypeString,
  decodeCertificate,
  emptyKeccakRoot,
  encodeCertificate,
  parseAddress,
  recoverSigner,
  verifyCertificate,
} from './commit.ts'
export {
  type DeviceKey,
  decodeDeviceKey,
  didKeyFromPublicKey,
  encodeDeviceKey,
  type KeyType,
  keyTypes,
  publicKeyFromDidKey,
} from './device-key.ts'
export { isCurvePoint } from './device-point.ts'
export {
  decodeEffectBody,
  type Effect,
  type EffectBody,
  type EffectKind,
  effectId,
  effectKinds,
  effectLeaf,
  encodeEffectBody,
} from './effect.ts'
export {
  decodeEnvelope,
  type Envelope,
  encodeEnvelope,
  envelopeLimits,
  envelopePreimage,
  openEnvelope,
  signEnvelope,
  signedMessage,
  type UnsignedEnvelope,
  verifyEnvelope,
} from './envelope.ts'
export { type EnvelopeJson, envelopeFromJson, envelopeToJson, looksLikeEnvelopeJson } from './envelope-json.ts'
export { describe, type Fault, ProtocolError, type ProtocolFault, W3bstreamError } from './error.ts'
export { decodeEvent, type EventPb, encodeEvent } from './event-pb.ts'
export { deriveProjectKey, deriveSfid, type ProjectKey, type Sfid, sfidFromBytes } from './ids.ts'
export {
  type HashFunction,
  keccakTree,
  leafHash,
  merklePath,
  merkleRoot,
  sha256Tree,
  verifyMerklePath,
} from './merkle.ts'
export {
  decodeMessage,
  encodeMessage,
  type Message,
  type MessageKind,
  messageId,
  messageKinds,
  messageLimits,
  messageProblem,
  type Origin,
  ownMessage,
  readMessage,
  writeMessage,
} from './message.ts'
export {
  decodeReceipt,
  encodeReceipt,
  type HandlerResult,
  type Receipt,
  type ReceiptStatus,
  receiptStatus,
  receiptStatuses,
  writeReceipt,
} from './receipt.ts'
export {
  projectSfid,
  type ReceiptCheck,
  type ReceiptFile,
  type ReceiptSummary,
  type ReceiptTransaction,
  type ReceiptTrust,
  summarize,
  verifyReceiptFile,
} from './receipt-file.ts'
export { createSigner, type Signer } from './signer.ts'

export { sha256 } from '#sha256'
export { type BatchHeader, batchHash, type ChainHead, decodeBatchHeader, encodeBatchHeader } from './batch.ts'
export { Reader, Writer } from './bytes/codec.ts'
export { concatBytes, equalBytes, fromHex, type Hex, toHex } from './bytes/hex.ts'
export {
  type Effect,
  type EffectBody,
  type EffectKind,
  effectId,
  effectKinds,
  effectLeaf,
  encodeEffectBody,
} from './effect.ts'
export { describe, type Fault, ProtocolError, type ProtocolFault, W3bstreamError } from './error.ts'
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
  type Origin,
  readMessage,
  writeMessage,
} from './message.ts'

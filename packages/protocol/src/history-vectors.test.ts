import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  type BatchHeader,
  batchHash,
  type Commit,
  commitDigest,
  decodeBatchHeader,
  decodeCertificate,
  decodeEffectBody,
  decodeMessage,
  decodeReceipt,
  type EffectBody,
  effectId,
  effectLeaf,
  encodeBatchHeader,
  encodeCertificate,
  encodeEffectBody,
  encodeMessage,
  encodeReceipt,
  fromHex,
  type HandlerResult,
  type Hex,
  keccakTree,
  leafHash,
  type Message,
  merklePath,
  merkleRoot,
  messageId,
  type ReceiptFile,
  type ReceiptStatus,
  sha256,
  summarize,
  toHex,
  verifyCertificate,
  verifyReceiptFile,
  Writer,
} from './index.ts'

/** `vectors/history.json`, made by `history.py` from `docs/spec/history.md`. Bytes are hexadecimal with prefix. */
interface Vectors {
  readonly project: Hex
  readonly member: { readonly address: Hex }
  readonly batches: readonly BatchVector[]
}

type MessageFields = Omit<Message, 'nonce' | 'origin' | 'payload'> & { nonce: Hex; envelope: Hex | null; payload: Hex }
type HeaderFields = Omit<
  BatchHeader,
  'project' | 'epoch' | 'height' | 'previous' | 'proposer' | 'messagesRoot' | 'chainHeads'
> & { project: Hex; epoch: number; height: number; previous: Hex; proposer: Hex; messagesRoot: Hex; chainHeads: [] }
interface ReceiptFields {
  messageId: Hex
  height: number
  index: number
  status: ReceiptStatus
  vouchedBy: Hex
  effects: { first: number; count: number }
  detail: string
  results: (Omit<HandlerResult, 'codeHash' | 'fuel'> & { codeHash: Hex; fuel: number })[]
}
type BodyFields = { kind: EffectBody['kind'] } & Record<string, never>
type Write =
  | { type: 'kv'; namespace: string; key: string; value: Hex }
  | {
      type: 'sql'
      statement: string
      params: { type: string; text: string }[]
      changes: number
      rows: string[][]
    }
  | { type: 'definition'; kind: string; id: string; value: string }

type CommitFields = Record<Exclude<keyof Commit, 'epoch' | 'height'>, Hex> & { epoch: number; height: number }

interface BatchVector {
  readonly messages: { fields: MessageFields; bytes: Hex; id: Hex }[]
  readonly header: { fields: HeaderFields; bytes: Hex; hash: Hex }
  readonly seeds: { index: number; ordinal: number; seed: Hex }[]
  readonly receipts: { fields: ReceiptFields; bytes: Hex; leaf: Hex }[]
  readonly effects: { id: Hex; index: number; messageIndex: number; body: BodyFields; bodyBytes: Hex; leaf: Hex }[]
  readonly writes: { entries: Write[]; bytes: Hex }
  readonly witness: {
    entries: { messageIndex: number; kind: 'sign' | 'call'; answered: 0 | 1; answer: Hex }[]
    bytes: Hex
  }
  readonly commit: { fields: CommitFields; digest: Hex }
  readonly certificate: { signatures: { member: Hex; signature: Hex }[]; bytes: Hex }
  readonly paths: { message: Hex[]; receipt: Hex[] }[]
}

const vectors: Vectors = JSON.parse(readFileSync(new URL('../vectors/history.json', import.meta.url), 'utf8'))
const project = fromHex(vectors.project, 32)
const ascii = (text: string) => new TextEncoder().encode(text)

function messageOf({ nonce, envelope, payload, ...fields }: MessageFields): Message {
  const origin =
    envelope === null ? ({ type: 'vouched' } as const) : { type: 'signed' as const, envelope: fromHex(envelope) }
  return { ...fields, nonce: fromHex(nonce), origin, payload: fromHex(payload) }
}

function headerOf(fields: HeaderFields): BatchHeader {
  const { project, previous, proposer, messagesRoot, epoch, height } = fields
  return {
    ...fields,
    project: fromHex(project),
    epoch: BigInt(epoch),
    height: BigInt(height),
    previous: fromHex(previous),
    proposer: fromHex(proposer),
    messagesRoot: fromHex(messagesRoot),
  }
}

function receiptOf(fields: ReceiptFields) {
  return {
    ...fields,
    messageId: fromHex(fields.messageId),
    height: BigInt(fields.height),
    vouchedBy: fromHex(fields.vouchedBy),
    results: fields.results.map((result) => ({
      ...result,
      codeHash: fromHex(result.codeHash),
      fuel: BigInt(result.fuel),
    })),
  }
}

function bodyOf(fields: BodyFields): EffectBody {
  const { kind, chainId, value, payload, body, ...rest } = fields as Record<string, string>
  return {
    ...rest,
    kind,
    ...(chainId === undefined ? {} : { chainId: BigInt(chainId) }),
    ...(value === undefined ? {} : { value: BigInt(value) }),
    ...(payload === undefined ? {} : { payload: fromHex(payload) }),
    ...(body === undefined ? {} : { body: fromHex(body) }),
  } as EffectBody
}

function commitOf({ epoch, height, ...roots }: CommitFields): Commit {
  const bytes = Object.fromEntries(Object.entries(roots).map(([name, value]) => [name, fromHex(value, 32)]))
  return { ...(bytes as unknown as Commit), epoch: BigInt(epoch), height: BigInt(height) }
}

/** Section "State digest" of the specification. */
function writeEntry(writer: Writer, write: Write): void {
  if (write.type === 'kv') writer.u8(1).text(write.namespace).text(write.key).bytes(fromHex(write.value))
  else if (write.type === 'sql') {
    writer.u8(2).text(write.statement).uint(write.params.length)
    for (const { type, text } of write.params) writer.text(type).text(text)
    writer.uint(write.changes).uint(write.rows.length)
    for (const value of write.rows.flat()) writer.text(value)
  } else writer.u8(3).text(write.kind).text(write.id).text(write.value)
}

describe.each(vectors.batches.map((batch, i) => [i + 1, batch] as const))(
  'history vector, batch %i',
  (height, batch) => {
    const { messages, header, receipts, effects, commit, certificate } = batch

    it('has the messages, their ids and the header', () => {
      for (const { fields, bytes, id } of messages) {
        const message = messageOf(fields)
        expect(toHex(encodeMessage(message))).toBe(bytes)
        expect(decodeMessage(fromHex(bytes))).toEqual(message)
        expect(toHex(messageId(project, message.receivedMs, fromHex(bytes)))).toBe(id)
      }
      expect(toHex(encodeBatchHeader(headerOf(header.fields)))).toBe(header.bytes)
      expect(decodeBatchHeader(fromHex(header.bytes))).toEqual(headerOf(header.fields))
      expect(toHex(batchHash(headerOf(header.fields)))).toBe(header.hash)
      expect(toHex(merkleRoot(messages.map(({ id }) => fromHex(id))))).toBe(header.fields.messagesRoot)
    })

    it('has the receipts and their paths', () => {
      for (const { fields, bytes, leaf } of receipts) {
        expect(toHex(encodeReceipt(receiptOf(fields)))).toBe(bytes)
        expect(decodeReceipt(fromHex(bytes))).toEqual(receiptOf(fields))
        expect(toHex(leafHash(fromHex(bytes)))).toBe(leaf)
      }
      const ids = messages.map(({ id }) => fromHex(id))
      const leaves = receipts.map(({ leaf }) => fromHex(leaf))
      expect(toHex(merkleRoot(leaves))).toBe(commit.fields.receipts)
      batch.paths.forEach(({ message, receipt }, index) => {
        expect(merklePath(ids, index).map(toHex)).toEqual(message)
        expect(merklePath(leaves, index).map(toHex)).toEqual(receipt)
      })
    })

    it('has the effects, their ids and leaves', () => {
      for (const { id, index, messageIndex, body: fields, bodyBytes, leaf } of effects) {
        const body = bodyOf(fields)
        expect(toHex(effectId(project, BigInt(height), index))).toBe(id)
        expect(toHex(encodeEffectBody(body))).toBe(bodyBytes)
        expect(decodeEffectBody(fromHex(bodyBytes))).toEqual(body)
        expect(toHex(effectLeaf({ id: fromHex(id), index, messageIndex, body }))).toBe(leaf)
      }
      const leaves = effects.map(({ leaf }) => fromHex(leaf))
      expect(toHex(merkleRoot(leaves, keccakTree))).toBe(commit.fields.effects)
    })

    it('has the state digest and the seeds', () => {
      const previous = vectors.batches[height - 2]?.commit.fields.state
      const writer = new Writer()
      for (const write of batch.writes.entries) writeEntry(writer, write)
      expect(toHex(writer.view())).toBe(batch.writes.bytes)
      const before = previous === undefined ? new Uint8Array(32) : fromHex(previous)
      expect(toHex(sha256(ascii('w3bstream/state/v1'), before, writer.view()))).toBe(commit.fields.state)
      for (const { index, ordinal, seed } of batch.seeds) {
        const place = new Writer().uint(index).uint(ordinal).view()
        expect(toHex(sha256(ascii('w3bstream/seed/v1'), fromHex(header.hash), place))).toBe(seed)
      }
    })

    it('has the witness', () => {
      const { entries, bytes } = batch.witness
      const writer = new Writer()
      if (entries.length > 0) writer.uint(entries.length)
      for (const { messageIndex, kind, answered, answer } of entries)
        writer.uint(messageIndex).u8(['sign', 'call'].indexOf(kind)).u8(answered).bytes(fromHex(answer))
      expect(toHex(writer.view())).toBe(bytes)
    })

    it('has the commit and a certificate that holds', () => {
      const value = commitOf(commit.fields)
      expect(toHex(commitDigest(value))).toBe(commit.digest)
      const signatures = certificate.signatures.map(({ member, signature }) => ({
        member: fromHex(member),
        signature: fromHex(signature),
      }))
      expect(toHex(encodeCertificate({ commit: value, signatures }))).toBe(certificate.bytes)
      const decoded = decodeCertificate(fromHex(certificate.bytes))
      expect(decoded).toEqual({ commit: value, signatures })
      expect(verifyCertificate(decoded, [fromHex(vectors.member.address)], 1)).toBe(true)
    })

    it('gives receipt files that hold, and that do not when a byte is changed', () => {
      messages.forEach((message, index) => {
        const receipt = receipts[index]!
        const file: ReceiptFile = {
          format: 'w3bstream-receipt/1',
          project: vectors.project,
          message: message.bytes,
          receipt: receipt.bytes,
          header: header.bytes,
          paths: batch.paths[index]!,
          certificate: certificate.bytes,
          summary: summarize(messageOf(message.fields), receiptOf(receipt.fields)),
          transactions: [],
        }
        const failed = (changes: Partial<ReceiptFile>) =>
          verifyReceiptFile({ ...file, ...changes }, { members: [vectors.member.address] })
            .filter(({ passed }) => !passed)
            .map(({ name }) => name)
        // The envelope is of `envelope.json`: the same project, device and payload.
        expect(failed({})).toEqual([])
        expect(failed({ message: flipped(message.bytes) })).toContain('message id')
        expect(failed({ certificate: flipped(certificate.bytes) })).toContain('certificate')
        for (const name of ['project', 'message', 'receipt', 'header', 'certificate'] as const)
          for (const broken of ['0x01', '0xzz'] as const)
            expect(() => failed({ [name]: broken })).toThrow(
              expect.objectContaining({ fault: expect.objectContaining({ code: 'RECEIPT_INVALID', check: name }) }),
            )
        expect(() => failed({ paths: { message: ['0x12'], receipt: [] } })).toThrow(
          expect.objectContaining({ fault: expect.objectContaining({ check: 'paths.message' }) }),
        )
      })
    })
  },
)

/** The last byte altered: of a message its payload, of a certificate the signature's v. */
function flipped(hex: Hex): Hex {
  const bytes = fromHex(hex)
  bytes[bytes.length - 1]! ^= 1
  return toHex(bytes)
}

import { type BatchHeader, batchHash, decodeBatchHeader } from './batch.ts'
import { equalBytes, fromHex, type Hex, toHex } from './bytes/hex.ts'
import { type Certificate, decodeCertificate, verifyCertificate } from './commit.ts'
import { decodeEnvelope, signedMessage, verifyEnvelope } from './envelope.ts'
import { ProtocolError } from './error.ts'
import { sfidFromBytes } from './ids.ts'
import { leafHash, verifyMerklePath } from './merkle.ts'
import { decodeMessage, encodeMessage, type Message, messageId } from './message.ts'
import { decodeReceipt, type Receipt } from './receipt.ts'

/**
 * A receipt as a file: everything a third party needs to check, without a node, what became of one message. The binary
 * fields decide; `summary` and `transactions` are for people, the first is compared with the binary, the second is the
 * node's word only.
 */
export interface ReceiptFile {
  readonly format: 'w3bstream-receipt/1'
  readonly project: Hex
  readonly message: Hex
  readonly receipt: Hex
  readonly header: Hex
  /** Siblings in the tree of message ids and in the tree of receipts. */
  readonly paths: { readonly message: readonly Hex[]; readonly receipt: readonly Hex[] }
  /** Signatures of members over the batch's commit; absent while it is being certified. */
  readonly certificate?: Hex
  readonly summary: ReceiptSummary
  readonly transactions: readonly ReceiptTransaction[]
}

export interface ReceiptSummary {
  readonly messageId: Hex
  readonly height: string
  readonly index: number
  readonly status: string
  /** `device-signed`, or `vouched by 0x…`, the member that checked the device's token. */
  readonly origin: string
  readonly publisherId: string
  readonly publisherKey: string
  readonly eventType: string
  readonly eventId: string
  readonly time: string
  readonly results: readonly {
    readonly appletId: string
    readonly handler: string
    readonly codeHash: Hex
    readonly code: number
    readonly error: string
    readonly fuel: string
  }[]
}

export interface ReceiptTransaction {
  readonly effectId: Hex
  readonly chainId: string
  readonly hash: string
  readonly state: string
  readonly detail?: string
}

/** One thing that was checked. */
export interface ReceiptCheck {
  readonly name: string
  readonly passed: boolean
  readonly detail: string
}

/** What is known beforehand of who may sign. */
export interface ReceiptTrust {
  /** Addresses of the project's members; when omitted, signatures are checked against the addresses they name. */
  readonly members?: readonly Hex[]
  /** @default two thirds of the members, rounded up; one without members */
  readonly quorum?: number
}

/** The readable part of a receipt file, from its parts. */
export function summarize(message: Message, receipt: Receipt): ReceiptSummary {
  return {
    messageId: toHex(receipt.messageId),
    height: receipt.height.toString(),
    index: receipt.index,
    status: receipt.status,
    origin: message.origin.type === 'signed' ? 'device-signed' : `vouched by ${toHex(receipt.vouchedBy)}`,
    publisherId: message.publisherId,
    publisherKey: message.publisherKey,
    eventType: message.eventType,
    eventId: message.eventId,
    time: new Date(message.receivedMs).toISOString(),
    results: receipt.results.map((result) => ({
      appletId: result.appletId,
      handler: result.handler,
      codeHash: toHex(result.codeHash),
      code: result.code,
      error: result.error,
      fuel: result.fuel.toString(),
    })),
  }
}

/**
 * Checks a receipt file offline. Every check is reported; the receipt holds when all passed.
 * @throws ProtocolError RECEIPT_INVALID with the field when the file is not a receipt at all; HEX_INVALID of a wrong `trust`
 */
export function verifyReceiptFile(json: unknown, trust: ReceiptTrust = {}): ReceiptCheck[] {
  const file = parseReceiptFile(json)
  const project = read('project', () => fromHex(file.project, 32))
  const messageBytes = read('message', () => fromHex(file.message))
  const receiptBytes = read('receipt', () => fromHex(file.receipt))
  const message = read('message', () => decodeMessage(messageBytes))
  const receipt = read('receipt', () => decodeReceipt(receiptBytes))
  const header = read('header', () => decodeBatchHeader(fromHex(file.header)))
  const { certificate: certified } = file
  const certificate =
    certified === undefined ? undefined : read('certificate', () => decodeCertificate(fromHex(certified)))
  const paths = {
    message: read('paths.message', () => file.paths.message.map((hash) => fromHex(hash, 32))),
    receipt: read('paths.receipt', () => file.paths.receipt.map((hash) => fromHex(hash, 32))),
  }
  const place = { index: receipt.index, size: header.messageCount }
  return [
    check('project', equalBytes(header.project, project), 'the batch belongs to the project that the file names'),
    check(
      'message id',
      equalBytes(messageId(project, message.receivedMs, messageBytes), receipt.messageId),
      'the id is the hash of the message',
    ),
    check('height', header.height === receipt.height, 'receipt and batch have the same height'),
    check(
      'message in batch',
      verifyMerklePath({
        leaf: receipt.messageId,
        ...place,
        path: paths.message,
        root: header.messagesRoot,
      }),
      'the Merkle path leads to the batch’s root of messages',
    ),
    ...checkCertificate(paths.receipt, receiptBytes, place, header, certificate, trust),
    checkOrigin(project, message),
    check(
      'summary',
      sameJson(file.summary, summarize(message, receipt)),
      'the readable part says what the binary part says',
    ),
  ]
}

function checkCertificate(
  path: readonly Uint8Array[],
  receiptBytes: Uint8Array,
  place: { index: number; size: number },
  header: BatchHeader,
  certificate: Certificate | undefined,
  trust: ReceiptTrust,
): ReceiptCheck[] {
  if (!certificate) return [check('certificate', false, 'the file has none: the batch is not certified yet')]
  const { commit, signatures } = certificate
  const members = trust.members?.map((m) => fromHex(m, 20)) ?? signatures.map((s) => s.member)
  const quorum = trust.quorum ?? Math.max(1, Math.ceil((members.length * 2) / 3))
  const names = signatures.map((s) => toHex(s.member)).join(', ')
  return [
    check(
      'batch',
      equalBytes(commit.batch, batchHash(header)) &&
        commit.height === header.height &&
        commit.epoch === header.epoch &&
        equalBytes(commit.project, header.project),
      'the certificate is for this batch',
    ),
    check(
      'receipt in batch',
      verifyMerklePath({
        leaf: leafHash(receiptBytes),
        ...place,
        path,
        root: commit.receipts,
      }),
      'the Merkle path leads to the certified root of receipts',
    ),
    check(
      'certificate',
      verifyCertificate(certificate, members, quorum),
      `signed by ${names}${trust.members ? '' : ' (members as the file names them)'}`,
    ),
  ]
}

function checkOrigin(project: Uint8Array, message: Message): ReceiptCheck {
  if (message.origin.type === 'vouched')
    return check('origin', true, 'vouched by the member that received it; the device did not sign')
  const { envelope } = message.origin
  try {
    const holds = isSignedBy(envelope, project, message)
    return check('origin', holds, 'the device’s signature covers project, type, time, nonce and payload')
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return check('origin', false, `what the device signed cannot be read: ${error.message}`)
  }
}

function isSignedBy(bytes: Uint8Array, project: Uint8Array, message: Message): boolean {
  const envelope = decodeEnvelope(bytes)
  // The message is a function of the envelope and the device's registration; nothing else may have been put into it.
  const made = encodeMessage(signedMessage(bytes, { id: message.publisherId, key: message.publisherKey }))
  return equalBytes(envelope.project, project) && equalBytes(made, encodeMessage(message)) && verifyEnvelope(envelope)
}

/** Reads a field; what is wrong with it is told by its name, since whoever has the file does not know the codec. */
function read<T>(field: string, decode: () => T): T {
  try {
    return decode()
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw new ProtocolError({ code: 'RECEIPT_INVALID', check: field, detail: error.message }, { cause: error })
  }
}

function check(name: string, passed: boolean, detail: string): ReceiptCheck {
  return { name, passed, detail }
}

function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(sortKeys(a)) === JSON.stringify(sortKeys(b))
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, v]) => [k, sortKeys(v)]),
  )
}

function parseReceiptFile(json: unknown): ReceiptFile {
  const file = json as Partial<ReceiptFile> | null
  const wrong = (check: string, detail: string) => new ProtocolError({ code: 'RECEIPT_INVALID', check, detail })
  if (typeof file !== 'object' || file === null) throw wrong('file', 'wanted a JSON object')
  if (file.format !== 'w3bstream-receipt/1')
    throw wrong('format', `wanted w3bstream-receipt/1, found ${String(file.format)}`)
  for (const field of ['project', 'message', 'receipt', 'header'] as const)
    if (typeof file[field] !== 'string') throw wrong(field, 'wanted hexadecimal text')
  if (file.certificate !== undefined && typeof file.certificate !== 'string')
    throw wrong('certificate', 'wanted hexadecimal text')
  for (const path of ['message', 'receipt'] as const)
    if (
      !Array.isArray(file.paths?.[path]) ||
      file.paths[path].length > 64 ||
      !file.paths[path].every((h) => typeof h === 'string')
    )
      throw wrong(`paths.${path}`, 'wanted at most 64 hashes')
  if (typeof file.summary !== 'object' || file.summary === null) throw wrong('summary', 'wanted an object')
  return file as ReceiptFile
}

/** The 63-bit form of a project's id, as the management API shows it. */
export function projectSfid(project: Hex): string {
  return sfidFromBytes(fromHex(project, 32))
}

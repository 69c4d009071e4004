import { Reader, Writer } from './bytes/codec.ts'
import { fromHex, type Hex } from './bytes/hex.ts'
import { ProtocolError } from './error.ts'
import { keccakTree, leafHash } from './merkle.ts'

/** What an applet does to the world outside, written down instead of done. */
export type EffectBody =
  /** Call of a contract. `operator` names the key that signs when there is one member. */
  | { kind: 'transaction'; chainId: bigint; chainName: string; to: Hex; value: bigint; data: Hex; operator: string }
  | { kind: 'mqtt'; topic: string; payload: Uint8Array }
  /** Asynchronous call of a system API, answered by a message of type `eventType`. */
  | { kind: 'api'; method: string; url: string; header: Record<string, string[]>; body: Uint8Array; eventType: string }
  /** A measurement of the applet's own, a JSON object. */
  | { kind: 'metric'; json: string }
  /** A new event of the project itself, made by its flow. */
  | { kind: 'event'; eventType: string; payload: Uint8Array }

export const effectKinds = ['transaction', 'mqtt', 'api', 'metric', 'event'] as const
export type EffectKind = EffectBody['kind']

/** An effect with its place in the history. */
export interface Effect {
  /** `keccak256(project ‖ height ‖ index)`: what makes it happen once. */
  readonly id: Uint8Array
  /** Its number among the effects of the batch. */
  readonly index: number
  /** Number of the message, in the batch, whose handler asked for it. */
  readonly messageIndex: number
  readonly body: EffectBody
}

export function effectId(project: Uint8Array, height: bigint, index: number): Uint8Array {
  return keccakTree(new Writer(48).raw(project).u64(height).u64(BigInt(index)).view())
}

/**
 * The leaf of an effect in the batch's tree. Of a transaction it is over fixed-width words, so that a contract rebuilds it
 * with `abi.encode(id, chainId, to, value, keccak256(data))`; of the others over the canonical encoding.
 */
export function effectLeaf(effect: Effect): Uint8Array {
  const { body } = effect
  if (body.kind !== 'transaction')
    return leafHash(new Writer().raw(effect.id).raw(encodeEffectBody(body)).view(), keccakTree)
  const words = new Uint8Array(160)
  words.set(effect.id, 0)
  words.set(word(body.chainId), 32)
  words.set(fromHex(body.to, 20), 64 + 12)
  words.set(word(body.value), 96)
  words.set(keccakTree(fromHex(body.data)), 128)
  return leafHash(words, keccakTree)
}

function word(value: bigint): Uint8Array {
  return fromHex(value.toString(16).padStart(64, '0'), 32)
}

/** The canonical bytes of an effect's body, for storage and leaves. */
export function encodeEffectBody(body: EffectBody): Uint8Array {
  const writer = new Writer().u8(effectKinds.indexOf(body.kind))
  switch (body.kind) {
    case 'transaction':
      return writer
        .u64(body.chainId)
        .text(body.chainName)
        .text(body.to)
        .text(body.value.toString())
        .text(body.data)
        .text(body.operator)
        .finish()
    case 'mqtt':
      return writer.text(body.topic).bytes(body.payload).finish()
    case 'api':
      return writer
        .text(body.method)
        .text(body.url)
        .text(JSON.stringify(body.header))
        .bytes(body.body)
        .text(body.eventType)
        .finish()
    case 'metric':
      return writer.text(body.json).finish()
    case 'event':
      return writer.text(body.eventType).bytes(body.payload).finish()
  }
}

const limits = { textBytes: 4 * 1024 * 1024, payloadBytes: 16 * 1024 * 1024 }

/** @throws ProtocolError on anything but one canonical body */
export function decodeEffectBody(bytes: Uint8Array): EffectBody {
  const reader = new Reader(bytes)
  const body = readBody(reader)
  reader.end()
  return body
}

function readBody(reader: Reader): EffectBody {
  const tag = reader.u8()
  const text = (field: string) => reader.text(field, limits.textBytes)
  switch (effectKinds[tag]) {
    case 'transaction':
      return {
        kind: 'transaction',
        chainId: reader.u64(),
        chainName: text('chainName'),
        to: text('to') as Hex,
        value: readWei(text('value')),
        data: text('data') as Hex,
        operator: text('operator'),
      }
    case 'mqtt':
      return { kind: 'mqtt', topic: text('topic'), payload: reader.bytes('payload', limits.payloadBytes) }
    case 'api':
      return {
        kind: 'api',
        method: text('method'),
        url: text('url'),
        header: readHeader(text('header')),
        body: reader.bytes('body', limits.payloadBytes),
        eventType: text('eventType'),
      }
    case 'metric':
      return { kind: 'metric', json: text('json') }
    case 'event':
      return { kind: 'event', eventType: text('eventType'), payload: reader.bytes('payload', limits.payloadBytes) }
    default:
      throw new ProtocolError({ code: 'CODEC_VALUE', field: 'effect', value: `${tag}`, wanted: '0 … 4' })
  }
}

function readHeader(text: string): Record<string, string[]> {
  const wrong = () =>
    new ProtocolError({
      code: 'CODEC_VALUE',
      field: 'header',
      value: text,
      wanted: 'JSON of names with lists of texts',
    })
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw wrong()
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json) || JSON.stringify(json) !== text) throw wrong()
  const lists = Object.values(json)
  if (lists.some((list) => !Array.isArray(list) || list.some((one) => typeof one !== 'string'))) throw wrong()
  return json as Record<string, string[]>
}

function readWei(text: string): bigint {
  if (!/^(0|[1-9][0-9]{0,77})$/.test(text))
    throw new ProtocolError({ code: 'CODEC_VALUE', field: 'value', value: text, wanted: 'decimal wei' })
  return BigInt(text)
}

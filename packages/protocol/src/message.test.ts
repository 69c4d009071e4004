import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeMessage,
  encodeMessage,
  type Message,
  messageId,
  messageKinds,
  messageLimits,
  messageProblem,
} from './message.ts'

const text = fc.string({ maxLength: 80 })
const bytes = fc.uint8Array({ maxLength: 40 })
const anyMessage: fc.Arbitrary<Message> = fc.record({
  kind: fc.constantFrom(...messageKinds),
  receivedMs: fc.integer({ min: 0, max: 2 ** 45 }),
  nonce: bytes,
  origin: fc.oneof(
    fc.constant({ type: 'vouched' as const }),
    bytes.map((envelope) => ({ type: 'signed' as const, envelope })),
  ),
  publisherId: fc.bigInt(1n, 2n ** 63n - 1n).map(String),
  publisherKey: text,
  eventType: text,
  eventId: text,
  timestampMs: fc.maxSafeNat(),
  topic: text,
  idempotencyKey: text,
  payload: fc.uint8Array({ maxLength: 500 }),
})
const project = new Uint8Array(32).fill(5)

describe('message', () => {
  it('is read back as it was written, and every byte of it counts', () => {
    fc.assert(
      fc.property(anyMessage, fc.nat(), (message, at) => {
        const encoded = encodeMessage(message)
        expect(decodeMessage(encoded)).toEqual(message)
        const altered = encoded.slice()
        altered[at % altered.length]! ^= 1
        expect(messageId(project, message.receivedMs, altered)).not.toEqual(
          messageId(project, message.receivedMs, encoded),
        )
      }),
    )
  })

  it('refuses trailing bytes, cut ends and unknown kinds', () => {
    const encoded = encodeMessage(fc.sample(anyMessage, { numRuns: 1, seed: 1 })[0]!).slice()
    expect(() => decodeMessage(Uint8Array.of(...encoded, 0))).toThrow(
      expect.objectContaining({ code: 'CODEC_TRAILING' }),
    )
    expect(() => decodeMessage(encoded.subarray(0, -1))).toThrow(expect.objectContaining({ code: 'CODEC_TRUNCATED' }))
    expect(() => decodeMessage(Uint8Array.of(9, ...encoded.subarray(1)))).toThrow(
      expect.objectContaining({ code: 'CODEC_VALUE' }),
    )
  })

  it('is refused beforehand exactly when it could not be read back', () => {
    const sound = fc.sample(anyMessage, { numRuns: 1, seed: 1 })[0]!
    const { textBytes, topicBytes, nonceBytes } = messageLimits
    const atLimit = {
      eventType: '\u20ac'.repeat(textBytes / 4),
      publisherKey: 'k'.repeat(textBytes),
      topic: 't'.repeat(topicBytes),
    }
    expect(messageProblem({ ...sound, ...atLimit })).toBeUndefined()
    expect(decodeMessage(encodeMessage({ ...sound, ...atLimit }))).toEqual({ ...sound, ...atLimit })
    const beyond: Partial<Message>[] = [
      { publisherId: '9'.repeat(21) },
      { publisherKey: 'é'.repeat(textBytes / 2 + 1) },
      { eventType: 't'.repeat(textBytes + 1) },
      { eventId: 'i'.repeat(textBytes + 1) },
      { topic: 't'.repeat(topicBytes + 1) },
      { idempotencyKey: 'k'.repeat(textBytes + 1) },
      { nonce: new Uint8Array(nonceBytes + 1) },
      { timestampMs: 1.5 },
      { receivedMs: -1 },
    ]
    for (const wrong of beyond) {
      expect(messageProblem({ ...sound, ...wrong })?.field).toBe(Object.keys(wrong)[0])
      expect(() => decodeMessage(encodeMessage({ ...sound, ...wrong }))).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/CODEC_(LIMIT|VALUE)/) }),
      )
    }
  })

  it('has an id that grows with its time', () => {
    const encoded = Uint8Array.of(1)
    const times = [0, 1, 255, 2 ** 32 - 1, 2 ** 32, 1_700_000_000_000, 1_700_000_000_001, 2 ** 47]
    const ids = times.map((ms) => Buffer.from(messageId(project, ms, encoded)).toString('hex'))
    expect([...ids].sort()).toEqual(ids)
  })

  it('has another id in another project', () => {
    expect(messageId(project, 1, Uint8Array.of(1))).not.toEqual(messageId(new Uint8Array(32), 1, Uint8Array.of(1)))
  })
})

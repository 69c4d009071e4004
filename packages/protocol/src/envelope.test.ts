import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  createSigner,
  decodeEnvelope,
  type Envelope,
  encodeEnvelope,
  encodeMessage,
  envelopeFromJson,
  envelopePreimage,
  envelopeToJson,
  fromHex,
  keyTypes,
  messageId,
  openEnvelope,
  ProtocolError,
  sha256,
  signEnvelope,
  signedMessage,
  toHex,
  type UnsignedEnvelope,
  verifyEnvelope,
} from './index.ts'
import { isLowS, toLowS } from './low-s.ts'

interface Vectors {
  valid: {
    name: string
    keyType: (typeof keyTypes)[number]
    secretKey: string
    digest: string
    binary: string
    json: unknown
  }[]
  invalid: { name: string; code: string; binary: string }[]
}

const vectors: Vectors = JSON.parse(readFileSync(new URL('../vectors/envelope.json', import.meta.url), 'utf8'))

const unsigned: UnsignedEnvelope = {
  project: new Uint8Array(32).fill(7),
  nonce: new Uint8Array(8).fill(9),
  timestampMs: 1_700_000_000_000,
  eventType: 'DEFAULT',
  eventId: '',
  payload: new TextEncoder().encode('{"temperature":21.5}'),
}

function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (error instanceof ProtocolError) return error.code
    throw error
  }
  return 'none'
}

describe('envelope vectors', () => {
  for (const vector of vectors.valid) {
    it(`accepts: ${vector.name}`, async () => {
      const envelope = openEnvelope(fromHex(vector.binary))
      expect(toHex(encodeEnvelope(envelope)).slice(2)).toBe(vector.binary)
      expect(toHex(sha256(envelopePreimage(envelope))).slice(2)).toBe(vector.digest)
      expect(envelopeToJson(envelope)).toEqual(vector.json)
      expect(toHex(encodeEnvelope(envelopeFromJson(vector.json))).slice(2)).toBe(vector.binary)
      // All three signatures are deterministic, so our signer must come to the same one.
      const signed = await signEnvelope(envelope, createSigner(vector.keyType, fromHex(vector.secretKey)))
      expect(toHex(signed.signature)).toBe(toHex(envelope.signature))
    })
  }

  for (const vector of vectors.invalid) {
    it(`refuses: ${vector.name}`, () => {
      expect(codeOf(() => openEnvelope(fromHex(vector.binary)))).toBe(vector.code)
    })
  }
})

describe('envelope', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
  const arbitrary = fc.record({
    project: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    nonce: fc.uint8Array({ minLength: 8, maxLength: 32 }),
    timestampMs: fc.nat({ max: 2 ** 48 - 1 }),
    eventType: text,
    eventId: fc.oneof(fc.constant(''), text),
    payload: fc.uint8Array({ maxLength: 300 }),
  })

  for (const type of keyTypes) {
    it(`comes back from bytes and from JSON: ${type}`, async () => {
      const signer = createSigner(type, new Uint8Array(32).fill(5))
      await fc.assert(
        fc.asyncProperty(arbitrary, async (fields) => {
          const envelope = await signEnvelope(fields, signer)
          expect(decodeEnvelope(encodeEnvelope(envelope))).toEqual(envelope)
          expect(envelopeFromJson(JSON.parse(JSON.stringify(envelopeToJson(envelope))))).toEqual(envelope)
          expect(verifyEnvelope(envelope)).toBe(true)
        }),
        { numRuns: 25 },
      )
    })

    it(`notices every flipped bit: ${type}`, async () => {
      const bytes = encodeEnvelope(await signEnvelope(unsigned, createSigner(type, new Uint8Array(32).fill(5))))
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const flipped = bytes.slice()
        flipped[bit >> 3]! ^= 1 << (bit & 7)
        expect(
          codeOf(() => openEnvelope(flipped)),
          `bit ${bit}`,
        ).not.toBe('none')
      }
    })
  }

  it('answers random bytes with a ProtocolError or an envelope that encodes to the same bytes', () => {
    const seed = fromHex(vectors.valid[0]!.binary)
    const mutated = fc
      .array(fc.tuple(fc.nat({ max: seed.length - 1 }), fc.nat({ max: 255 })), { maxLength: 4 })
      .map((edits) => {
        const bytes = seed.slice()
        for (const [at, value] of edits) bytes[at] = value
        return bytes
      })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), mutated), (bytes) => {
        const code = codeOf(() => expect(encodeEnvelope(decodeEnvelope(bytes))).toEqual(bytes))
        expect(code).toMatch(/^(none|CODEC_\w+)$/)
      }),
      { numRuns: 500 },
    )
  })

  const bad: [string, Partial<UnsignedEnvelope>, string][] = [
    ['a project of 31 bytes', { project: new Uint8Array(31) }, 'CODEC_VALUE'],
    ['a nonce of 7 bytes', { nonce: new Uint8Array(7) }, 'CODEC_VALUE'],
    ['a nonce of 33 bytes', { nonce: new Uint8Array(33) }, 'CODEC_VALUE'],
    ['a time that is no number', { timestampMs: Number.NaN }, 'CODEC_VALUE'],
    ['a negative time', { timestampMs: -1 }, 'CODEC_VALUE'],
    ['a time beyond 48 bits', { timestampMs: 2 ** 48 }, 'CODEC_VALUE'],
    ['no event type', { eventType: '' }, 'CODEC_VALUE'],
    ['half a surrogate pair', { eventId: '\ud800' }, 'CODEC_VALUE'],
    ['a long event type', { eventType: 'é'.repeat(129) }, 'CODEC_LIMIT'],
    ['a large payload', { payload: new Uint8Array(16 * 1024 * 1024 + 1) }, 'CODEC_LIMIT'],
  ]
  for (const [name, change, code] of bad) {
    it(`does not sign ${name}`, async () => {
      const signing = signEnvelope({ ...unsigned, ...change }, createSigner('ed25519', new Uint8Array(32).fill(5)))
      await expect(signing).rejects.toMatchObject({ code })
    })
  }

  it('brings a signer’s high s into the lower half', async () => {
    const signer = createSigner('p256', new Uint8Array(32).fill(5))
    const low = await signEnvelope(unsigned, signer)
    const high = { ...signer, sign: () => negated(low) }
    expect((await signEnvelope(unsigned, high)).signature).toEqual(low.signature)
  })

  it('refuses a signer that gives DER', async () => {
    const signer = createSigner('p256', new Uint8Array(32).fill(5))
    await expect(signEnvelope(unsigned, { ...signer, sign: () => new Uint8Array(70) })).rejects.toMatchObject({
      code: 'ENVELOPE_SIGNATURE',
    })
  })

  it('refuses secret keys of a wrong length or range, without showing them', () => {
    expect(codeOf(() => createSigner('p256', new Uint8Array(31).fill(1)))).toBe('CODEC_VALUE')
    expect(codeOf(() => createSigner('secp256k1', new Uint8Array(32)))).toBe('CODEC_VALUE')
    expect(() => createSigner('p256', new Uint8Array(32).fill(0xff))).toThrow(/^(?!.*255)(?!.*ff)/)
  })

  it('becomes the same message however often it is sent', async () => {
    const bytes = encodeEnvelope(await signEnvelope(unsigned, createSigner('ed25519', new Uint8Array(32).fill(5))))
    const message = signedMessage(bytes, { id: '42', key: 'sensor' })
    expect(message).toMatchObject({
      receivedMs: unsigned.timestampMs,
      timestampMs: unsigned.timestampMs,
      publisherId: '42',
    })
    expect(message).toMatchObject({ idempotencyKey: 'nonce:0x0909090909090909', eventId: '0909090909090909_w3b' })
    const ids = [0, 1].map(() =>
      messageId(unsigned.project, message.receivedMs, encodeMessage(signedMessage(bytes, { id: '42', key: 'sensor' }))),
    )
    expect(ids[0]).toEqual(ids[1])
  })
})

describe('envelope as JSON', () => {
  const good = vectors.valid[0]!.json as Record<string, unknown>
  const bad: [string, unknown, string][] = [
    ['no object', 'text', 'CODEC_VALUE'],
    ['an array', [good], 'CODEC_VALUE'],
    ['null', null, 'CODEC_VALUE'],
    ['another version', { ...good, w3b: 2 }, 'CODEC_VALUE'],
    ['a missing member', { ...good, nonce: undefined }, 'CODEC_VALUE'],
    ['an unknown member', { ...good, extra: 1 }, 'CODEC_VALUE'],
    ['a time as text', { ...good, timestampMs: '1700000000000' }, 'CODEC_VALUE'],
    ['a time with a fraction', { ...good, timestampMs: 1.5 }, 'CODEC_VALUE'],
    ['a short project', { ...good, project: '0x00' }, 'HEX_INVALID'],
    ['a device that is no did:key', { ...good, device: 'did:web:example.com' }, 'CODEC_VALUE'],
    ['a device with a wrong character', { ...good, device: 'did:key:z0' }, 'CODEC_VALUE'],
    ['a very long device', { ...good, device: `did:key:z${'2'.repeat(10_000)}` }, 'CODEC_LIMIT'],
    ['base64 without padding', { ...good, payload: 'YQ' }, 'CODEC_VALUE'],
    ['base64 with left-over bits', { ...good, payload: 'YR==' }, 'CODEC_VALUE'],
    ['base64 with white space', { ...good, payload: 'YW Fh' }, 'CODEC_VALUE'],
    ['base64url', { ...good, payload: '_-8=' }, 'CODEC_VALUE'],
    ['a short signature', { ...good, signature: 'YQ==' }, 'CODEC_VALUE'],
  ]
  for (const [name, value, code] of bad) {
    it(`refuses ${name}`, () => expect(codeOf(() => envelopeFromJson(value))).toBe(code))
  }
})

describe('low s', () => {
  it('leaves a low one alone and is its own inverse through the high one', () => {
    const signature = fromHex(vectors.valid[1]!.binary).slice(-64)
    expect(isLowS('secp256k1', signature)).toBe(true)
    expect(toLowS('secp256k1', signature)).toBe(signature)
    expect(toLowS('ed25519', new Uint8Array(64).fill(255))).toEqual(new Uint8Array(64).fill(255))
  })
})

/** The same signature with n − s. */
function negated(envelope: Envelope): Uint8Array {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  const s = order - BigInt(toHex(envelope.signature.subarray(32)))
  const high = fromHex(s.toString(16).padStart(64, '0'))
  return Uint8Array.from([...envelope.signature.subarray(0, 32), ...high])
}

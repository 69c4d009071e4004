import { createSigner, didKeyFromPublicKey, keyTypes } from '@w3bstream/protocol'
import { describe, expect, it } from 'vitest'
import { didKeyProblem } from './did-key.ts'

describe('did:key', () => {
  it.each(keyTypes)('of %s is accepted', (type) => {
    expect(didKeyProblem(didKeyFromPublicKey(createSigner(type, new Uint8Array(32).fill(9)).device))).toBeUndefined()
  })

  it.each([
    ['another scheme', 'did:web:example.org', /did:key:z/],
    ['nothing', '', /did:key:z/],
    ['few characters', 'did:key:zbad', /multicodec prefix/],
    ['half a key', 'did:key:z6MkhaXgBZDvotDkL5257faiztiGi', /./],
    ['another alphabet', 'did:key:z6Mkha0OIl', /base58/],
    ['too many characters', `did:key:z${'2'.repeat(400)}`, /at most 48/],
    // The prefix of secp256k1 and x = 5, for which x³ + 7 is no square.
    ['no point', 'did:key:zQ3shMQnkqiyfujhRPGFFqSEeD2yV9kUcmyBiu2fT2BXfFPMN', /point of the curve/],
  ])('is refused: %s', (_name, text, problem) => {
    expect(didKeyProblem(text)).toMatch(problem)
  })
})

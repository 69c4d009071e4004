import { keccakTree, toHex } from '@w3bstream/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SignedTransaction } from './chain.ts'
import { encodeLocal } from './chain.ts'
import { ChainError } from './errors.ts'
import { decodeLocal } from './outbox.ts'

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length }).map(toHex)

const transactions: fc.Arbitrary<SignedTransaction> = fc
  .record({
    chainId: fc.bigInt({ min: 1n, max: 2n ** 53n }),
    chainName: fc.string(),
    raw: fc.uint8Array({ minLength: 1, maxLength: 200 }),
    nonce: fc.nat(),
    from: bytes(20),
    to: bytes(20),
    value: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
    data: fc.uint8Array({ maxLength: 100 }).map(toHex),
    operator: fc.string(),
    operatorId: fc.string(),
  })
  .map((fields) => ({ ...fields, raw: toHex(fields.raw), hash: toHex(keccakTree(fields.raw)) }))

function code(text: string): string | undefined {
  try {
    decodeLocal(text)
  } catch (error) {
    return error instanceof ChainError ? error.code : `${error}`
  }
  return undefined
}

describe('the local part of an outbox row', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(transactions, (transaction) => {
        expect(decodeLocal(encodeLocal(transaction))).toEqual(transaction)
      }),
    )
  })

  const [sample] = fc.sample(transactions, { numRuns: 1, seed: 7 })
  const fields = JSON.parse(encodeLocal(sample!)) as Record<string, unknown>

  it.each(Object.keys(fields))('is refused without %s', (field) => {
    expect(code(JSON.stringify({ ...fields, [field]: undefined }))).toBe('OUTBOX_CORRUPT')
  })

  it.each([
    ['', undefined],
    ['{', undefined],
    ['null', undefined],
    ['[]', undefined],
    ['an unknown field', { extra: 1 }],
    ['a negative nonce', { nonce: -1 }],
    ['a fraction', { value: '1.5' }],
    ['a number for a value', { value: 1 }],
    ['an odd digit', { data: '0x1' }],
    ['another transaction’s bytes', { raw: '0x00' }],
  ])('is refused as %j', (text, change) => {
    expect(code(change ? JSON.stringify({ ...fields, ...change }) : text)).toBe('OUTBOX_CORRUPT')
  })
})

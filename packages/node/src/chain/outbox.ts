import { fromHex, type Hex, keccakTree, toHex } from '@w3bstream/protocol'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { SignedTransaction } from './chain.ts'
import { ChainError } from './errors.ts'

const hex = Type.String({ pattern: '^0x([0-9a-f]{2})*$' })
const decimal = Type.String({ pattern: '^[0-9]{1,78}$' })

const schema = Compile(
  Type.Object(
    {
      chainId: decimal,
      chainName: Type.String(),
      hash: Type.String({ pattern: '^0x[0-9a-f]{64}$' }),
      raw: hex,
      nonce: Type.Integer({ minimum: 0 }),
      from: Type.String({ pattern: '^0x[0-9a-f]{40}$' }),
      to: Type.String({ pattern: '^0x[0-9a-f]{40}$' }),
      value: decimal,
      data: hex,
      operator: Type.String(),
      operatorId: Type.String(),
    },
    { additionalProperties: false },
  ),
)

/** The reverse of `encodeLocal`. @throws ChainError OUTBOX_CORRUPT */
export function decodeLocal(text: string): SignedTransaction {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new ChainError({ code: 'OUTBOX_CORRUPT', detail: 'not JSON' }, { cause })
  }
  if (!schema.Check(value)) {
    const [first] = schema.Errors(value)
    throw new ChainError({ code: 'OUTBOX_CORRUPT', detail: `${first?.instancePath} ${first?.message}` })
  }
  if (toHex(keccakTree(fromHex(value.raw))) !== value.hash)
    throw new ChainError({ code: 'OUTBOX_CORRUPT', detail: 'the hash is not that of the signed bytes' })
  const { hash, raw, from, to, data } = value as Record<'hash' | 'raw' | 'from' | 'to' | 'data', Hex>
  return { ...value, hash, raw, from, to, data, chainId: BigInt(value.chainId), value: BigInt(value.value) }
}

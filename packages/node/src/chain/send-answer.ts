import type { SignedTransaction } from './chain.ts'
import type { ChainClient } from './chain-client.ts'
import { ChainError } from './errors.ts'

/** What came of handing a signed transaction to the chain. */
export type SendAnswer =
  /** The chain has it, now or since before. */
  | { type: 'sent' }
  /** Its nonce is used up: by itself, or by another transaction. The receipt tells. */
  | { type: 'nonce used' }
  /** Not now: no money, fees too low, pool full. */
  | { type: 'later'; detail: string }
  /** No chain will ever take these bytes. */
  | { type: 'never'; detail: string }

const known = /already ?known|already imported|known transaction|already in (the )?(mem)?pool|already exists/i
const nonceUsed = /nonce (is )?too low|nonce.*already been used|old nonce|stale nonce/i
const never =
  /intrinsic gas|exceeds block gas|gas limit (is )?too (high|low)|invalid (sender|signature|chain)|type not supported|unsupported transaction|oversized|max initcode|rlp|decode|fee cap.*higher|tip.*higher/i

/**
 * Sends; handing the same bytes over twice is harmless.
 * @throws ChainError CHAIN_UNREACHABLE, CHAIN_MISMATCH
 */
export async function send(client: ChainClient, { raw }: Pick<SignedTransaction, 'raw'>): Promise<SendAnswer> {
  const chain = client.config.name
  try {
    await client.use(
      (viem) => viem.sendRawTransaction({ serializedTransaction: raw }),
      (reason) => ({ code: 'TX_REFUSED', chain, reason }),
    )
    return { type: 'sent' }
  } catch (error) {
    if (error instanceof ChainError && error.fault.code === 'TX_REFUSED') return judge(error.fault.reason)
    throw error
  }
}

/** Clients agree on no codes for these, so their words are looked at; what is not recognised is tried again. */
export function judge(reason: string): SendAnswer {
  if (known.test(reason)) return { type: 'sent' }
  if (nonceUsed.test(reason)) return { type: 'nonce used' }
  if (never.test(reason)) return { type: 'never', detail: reason }
  return { type: 'later', detail: reason }
}

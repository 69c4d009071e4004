import type { Hex } from '@w3bstream/protocol'
import type { ChainClient } from './chain-client.ts'

export interface ChainReceipt {
  readonly blockNumber: bigint
  readonly succeeded: boolean
}

/**
 * The receipt of a transaction, as far as it matters here; undefined while it is in no block.
 * @throws ChainError CHAIN_UNREACHABLE
 */
export async function findReceipt(client: ChainClient, hash: Hex): Promise<ChainReceipt | undefined> {
  const receipt = await client.use((viem) => viem.request({ method: 'eth_getTransactionReceipt', params: [hash] }))
  // Some endpoints show a receipt before its block.
  if (!receipt?.blockNumber) return undefined
  return { blockNumber: BigInt(receipt.blockNumber), succeeded: BigInt(receipt.status) === 1n }
}

import { readFileSync } from 'node:fs'
import { type Abi, createWalletClient, type Hex, http, publicActions } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import type { Anvil } from './anvil.ts'

/** A client that signs with this key and reads. */
export function clientOf(anvil: Pick<Anvil, 'url' | 'chainId'>, privateKey: Hex) {
  const chain = {
    id: anvil.chainId,
    name: 'anvil',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [anvil.url] } },
  }
  const account = privateKeyToAccount(privateKey)
  return createWalletClient({ account, chain, transport: http(anvil.url), pollingInterval: 50, cacheTime: 0 }).extend(
    publicActions,
  )
}

/** Deploys a compiled contract (`generated/<name>.json`); resolves with its address when it is in a block. */
export async function deploy(
  anvil: Pick<Anvil, 'url' | 'chainId'>,
  privateKey: Hex,
  name: string,
  args: readonly unknown[],
): Promise<Hex> {
  const file = new URL(`../generated/${name}.json`, import.meta.url)
  const { abi, bytecode } = JSON.parse(readFileSync(file, 'utf8')) as { abi: Abi; bytecode: Hex }
  const client = clientOf(anvil, privateKey)
  const hash = await client.deployContract({ abi, bytecode, args })
  const { contractAddress } = await client.waitForTransactionReceipt({ hash })
  if (!contractAddress) throw new Error(`${name} was not deployed`)
  return contractAddress
}

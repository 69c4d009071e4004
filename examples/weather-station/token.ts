/** The chain's side: the token, who may mint it, and what the owners have. */
import { type Anvil, clientOf, deploy, devAccounts } from '@w3bstream/contracts/testing'
import { rewardTokenAbi } from '@w3bstream/protocol'
import { getContract, type Hex, parseEther } from 'viem'

const [deployer] = devAccounts

/** Enough for the gas of all transactions of the demo. */
const allowance = parseEther('10')

/** Deploys the token. @returns its address */
export function deployToken(chain: Anvil): Promise<Hex> {
  return deploy(chain, deployer.privateKey, 'RewardToken', ['Heavy rain', 'RAIN', deployer.address])
}

/** Gives an account coins for gas, and the right to mint. */
export async function admitMinter(chain: Anvil, address: Hex, minter: Hex): Promise<void> {
  const client = clientOf(chain, deployer.privateKey)
  const token = getContract({ abi: rewardTokenAbi, address, client })
  const hashes = [
    await client.sendTransaction({ to: minter, value: allowance }),
    await token.write.grantRole([await token.read.MINTER_ROLE(), minter]),
  ]
  for (const hash of hashes) await client.waitForTransactionReceipt({ hash })
}

/** What each owner has, in the token's smallest unit, and what all have. */
export async function readBalances(
  chain: Anvil,
  address: Hex,
  owners: readonly Hex[],
): Promise<{ readonly balances: readonly bigint[]; readonly supply: bigint }> {
  const token = getContract({ abi: rewardTokenAbi, address, client: clientOf(chain, deployer.privateKey) })
  const balances = await Promise.all(owners.map((owner) => token.read.balanceOf([owner])))
  return { balances, supply: await token.read.totalSupply() }
}

import { rewardTokenAbi } from '@w3bstream/protocol'
import { getContract, type Hex, keccak256, toHex } from 'viem'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Anvil, devAccounts, startAnvil } from './anvil.ts'
import { clientOf, deploy } from './deploy.ts'

const [admin, other, owner] = devAccounts
const claim = keccak256(toHex('station 7, 2010-01-01'))
let anvil: Anvil
let address: Hex

beforeAll(async () => {
  anvil = await startAnvil()
})
afterAll(() => anvil.stop())
beforeEach(async () => {
  address = await deploy(anvil, admin.privateKey, 'RewardToken', ['Weather', 'WTR', admin.address])
})

function token(key: Hex = admin.privateKey) {
  return getContract({ abi: rewardTokenAbi, address, client: clientOf(anvil, key) })
}

describe('RewardToken', () => {
  it('mints a claim once, however often it is sent', async () => {
    await token().write.mintOnce([claim, owner.address, 5n])
    expect(await token().read.isPaid([claim])).toBe(true)
    expect((await token().simulate.mintOnce([claim, owner.address, 5n])).result).toBe(false)
    await token().write.mintOnce([claim, owner.address, 5n])
    expect(await token().read.balanceOf([owner.address])).toBe(5n)
    expect(await token().read.totalSupply()).toBe(5n)
  })

  it('refuses a claim that was paid otherwise', async () => {
    await token().write.mintOnce([claim, owner.address, 5n])
    await expect(token().simulate.mintOnce([claim, owner.address, 6n])).rejects.toThrow('ClaimConflict')
    await expect(token().simulate.mintOnce([claim, other.address, 5n])).rejects.toThrow('ClaimConflict')
  })

  it('mints different claims and plain amounts each time', async () => {
    await token().write.mintOnce([claim, owner.address, 1n])
    await token().write.mintOnce([keccak256(claim), owner.address, 1n])
    await token().write.mint([owner.address, 2n])
    await token().write.mint([owner.address, 2n])
    expect(await token().read.balanceOf([owner.address])).toBe(6n)
  })

  it('lets only minters mint, and only the admin name them', async () => {
    const role = await token().read.MINTER_ROLE()
    const stranger = token(other.privateKey)
    await expect(stranger.simulate.mint([other.address, 1n])).rejects.toThrow('AccessControlUnauthorizedAccount')
    await expect(stranger.simulate.mintOnce([claim, other.address, 1n])).rejects.toThrow(
      'AccessControlUnauthorizedAccount',
    )
    await expect(stranger.simulate.grantRole([role, other.address])).rejects.toThrow('AccessControlUnauthorizedAccount')
    await token().write.grantRole([role, other.address])
    await stranger.write.mint([other.address, 1n])
    expect(await token().read.balanceOf([other.address])).toBe(1n)
  })
})

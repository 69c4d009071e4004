import { describe, expect, it } from 'vitest'
import { findChain, parseChains } from './chain-table.ts'
import { ChainError, type ChainProblem } from './errors.ts'

/** The networks that projects of the earlier generation name. */
const documented = [
  'iotex-mainnet',
  'iotex-testnet',
  'ethereum-mainnet',
  'goerli',
  'polygon-mainnet',
  'mumbai',
  'solana-mainnet-beta',
  'solana-testnet',
  'solana-devnet',
  'arbitrum-one',
  'arbitrum-goerli',
  'op-mainnet',
  'op-goerli',
  'base-mainnet',
  'base-goerli',
  'zksync-era-mainnet',
  'zksync-era-testnet',
  'conflux-espace-mainnet',
  'conflux-espace-testnet',
]
const documentedIds = [4689, 4690, 1, 5, 137, 80001, 421613, 42161, 420, 10, 8453, 84531, 324, 280, 71, 1030]

function problems(json: string): readonly ChainProblem[] {
  try {
    parseChains(json)
  } catch (error) {
    if (error instanceof ChainError && error.fault.code === 'CHAIN_CONFIG_INVALID') return error.fault.problems
    throw error
  }
  return []
}

describe('the built-in table', () => {
  it.each(documented)('knows %s', (chainName) => {
    expect(findChain(parseChains(), { chainId: 0n, chainName }).endpoint).toMatch(/^https:/)
  })

  it.each(documentedIds)('knows chain %d', (id) => {
    expect(findChain(parseChains(), { chainId: BigInt(id), chainName: '' }).chainID).toBe(id)
  })

  it('has no name and no chain id twice', () => {
    const chains = parseChains()
    expect(new Set(chains.map((chain) => chain.name)).size).toBe(chains.length)
    const ids = chains.map((chain) => chain.chainID).filter((id) => id !== 0)
    expect(new Set(ids).size).toBe(ids.length)
  })
})

describe('parseChains', () => {
  it('adds chains, and replaces those of the same chain id or name', () => {
    const chains = parseChains(
      JSON.stringify([
        { chainID: 31337, name: 'anvil', endpoint: 'http://127.0.0.1:8545', confirmations: 2 },
        { chainID: 4690, name: 'my-iotex', endpoint: 'http://10.0.0.1' },
        { name: 'solana-devnet', endpoint: 'http://10.0.0.2' },
      ]),
    )
    expect(chains).toHaveLength(parseChains().length + 1)
    expect(findChain(chains, { chainId: 31337n, chainName: '' }).confirmations).toBe(2)
    expect(findChain(chains, { chainId: 4690n, chainName: 'ignored when there is an id' }).name).toBe('my-iotex')
    expect(findChain(chains, { chainId: 0n, chainName: 'solana-devnet' })).toMatchObject({
      chainID: 0,
      endpoint: 'http://10.0.0.2',
    })
  })

  it('names every mistake at once', () => {
    const found = problems(
      JSON.stringify([
        { chainID: 1, name: 'a' },
        { chainID: -1, name: '', endpoint: 'ftp://x', colour: 'red' },
        { name: 'no-id', endpoint: 'http://x' },
        7,
        { chainID: 2, name: 'b', endpoint: 'http://x', aaEntryPointContractAddress: '0x12' },
      ]),
    )
    expect(found.map(({ at }) => at).sort()).toEqual([
      '[0].endpoint',
      '[1].chainID',
      '[1].colour',
      '[1].endpoint',
      '[1].name',
      '[2].chainID',
      '[3]',
      '[4].aaEntryPointContractAddress',
    ])
  })

  it.each([
    ['an endpoint of another kind', { name: 'a', endpoint: 'ftp://h/SECRET' }],
    ['an endpoint without a scheme', { name: 'a', endpoint: 'h/SECRET' }],
    ['an endpoint as the name', { name: 'https://h/SECRET', endpoint: 'http://x' }],
    ['an endpoint as the item', 'https://h/SECRET'],
    ['an endpoint as the chain id', { chainID: 'https://h/SECRET', name: 'a', endpoint: 'http://x' }],
  ])('does not show %s', (_, item) => {
    const found = problems(JSON.stringify([item]))
    expect(found.length).toBeGreaterThan(0)
    expect(JSON.stringify(found)).not.toContain('SECRET')
  })

  it('does not quote a text that is no JSON', () => {
    const [found] = problems('[{"endpoint":"https://h/SECRET" "x"}]')
    expect(found).toEqual({ at: '', value: '***', wanted: 'JSON (wrong at character 32)' })
  })

  it('refuses two chains of one id or name', () => {
    const chain = { chainID: 7, name: 'a', endpoint: 'http://x' }
    expect(problems(JSON.stringify([chain, { ...chain, name: 'b' }, { ...chain, chainID: 8 }]))).toHaveLength(2)
  })

  it.each(['{', '{}', '"x"', 'null', JSON.stringify(new Array(1001).fill(1))])('refuses %.20s', (json) => {
    expect(problems(json)).toHaveLength(1)
  })

  it('takes an empty text for no configuration', () => {
    expect(parseChains('')).toEqual(parseChains())
  })
})

describe('findChain', () => {
  it.each([
    [99999n, 'iotex-testnet'],
    [0n, 'nowhere'],
    [0n, ''],
  ])('refuses %s %s', (chainId, chainName) => {
    expect(() => findChain(parseChains(), { chainId, chainName })).toThrow(ChainError)
  })
})

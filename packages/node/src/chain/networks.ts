import type { ChainConfig } from './chain.ts'

/**
 * Every network of the documentation with a public endpoint, test networks that have been switched off included (projects
 * name them; they answer CHAIN_UNREACHABLE until an endpoint is configured), and the successors of those. `confirmations`:
 * where blocks are final at once (IoTeX) or ordered by one sequencer (the roll-ups) it is one; elsewhere deep enough that
 * reorganisations of that depth have not been seen in ordinary operation.
 */
export const networks: readonly ChainConfig[] = [
  { chainID: 4689, name: 'iotex-mainnet', endpoint: 'https://babel-api.mainnet.iotex.io' },
  { chainID: 4690, name: 'iotex-testnet', endpoint: 'https://babel-api.testnet.iotex.io' },
  { chainID: 1, name: 'ethereum-mainnet', endpoint: 'https://ethereum-rpc.publicnode.com', confirmations: 12 },
  { chainID: 5, name: 'goerli', endpoint: 'https://rpc.ankr.com/eth_goerli', confirmations: 3 },
  { chainID: 11155111, name: 'sepolia', endpoint: 'https://ethereum-sepolia-rpc.publicnode.com', confirmations: 3 },
  { chainID: 137, name: 'polygon-mainnet', endpoint: 'https://polygon-bor-rpc.publicnode.com', confirmations: 32 },
  { chainID: 80001, name: 'mumbai', endpoint: 'https://rpc-mumbai.maticvigil.com', confirmations: 3 },
  { chainID: 80002, name: 'polygon-amoy', endpoint: 'https://rpc-amoy.polygon.technology', confirmations: 3 },
  { chainID: 42161, name: 'arbitrum-one', endpoint: 'https://arb1.arbitrum.io/rpc' },
  { chainID: 421613, name: 'arbitrum-goerli', endpoint: 'https://goerli-rollup.arbitrum.io/rpc' },
  { chainID: 421614, name: 'arbitrum-sepolia', endpoint: 'https://sepolia-rollup.arbitrum.io/rpc' },
  { chainID: 10, name: 'op-mainnet', endpoint: 'https://mainnet.optimism.io' },
  { chainID: 420, name: 'op-goerli', endpoint: 'https://goerli.optimism.io' },
  { chainID: 11155420, name: 'op-sepolia', endpoint: 'https://sepolia.optimism.io' },
  { chainID: 8453, name: 'base-mainnet', endpoint: 'https://mainnet.base.org' },
  { chainID: 84531, name: 'base-goerli', endpoint: 'https://goerli.base.org' },
  { chainID: 84532, name: 'base-sepolia', endpoint: 'https://sepolia.base.org' },
  { chainID: 324, name: 'zksync-era-mainnet', endpoint: 'https://mainnet.era.zksync.io' },
  { chainID: 280, name: 'zksync-era-testnet', endpoint: 'https://testnet.era.zksync.dev' },
  { chainID: 300, name: 'zksync-era-sepolia', endpoint: 'https://sepolia.era.zksync.dev' },
  { chainID: 1030, name: 'conflux-espace-mainnet', endpoint: 'https://evm.confluxrpc.com', confirmations: 50 },
  { chainID: 71, name: 'conflux-espace-testnet', endpoint: 'https://evmtestnet.confluxrpc.com', confirmations: 10 },
  { chainID: 0, name: 'solana-mainnet-beta', endpoint: 'https://api.mainnet-beta.solana.com' },
  { chainID: 0, name: 'solana-testnet', endpoint: 'https://api.testnet.solana.com' },
  { chainID: 0, name: 'solana-devnet', endpoint: 'https://api.devnet.solana.com' },
]

import Type from 'typebox'
import type { ChainConfig } from '../../../chain/chain.ts'
import type { RouteContext } from '../context.ts'
import { type Route, route } from '../route.ts'

const group = 'Configuration'

/** Open routes: what they show of an endpoint must not let strangers use its operator's contract with a provider. */
export function configurationRoutes({ deps: { chains, publicChains } }: RouteContext): Route[] {
  const shown = chains.map((chain) => (publicChains?.has(chain) ? chain : strike(chain)))
  return [
    route({
      method: 'GET',
      path: '/configuration/eth_client',
      summary: 'Endpoints by chain id, as JSON text',
      group,
      auth: 'none',
      answer: Type.Object({ clients: Type.String() }),
      handle: () => {
        const evm = shown.filter(({ chainID }) => chainID > 0)
        return { clients: JSON.stringify(Object.fromEntries(evm.map(({ chainID, endpoint }) => [chainID, endpoint]))) }
      },
    }),
    route({
      method: 'GET',
      path: '/configuration/chain_config',
      summary: 'The chain table, as JSON text',
      group,
      auth: 'none',
      answer: Type.Object({ chains: Type.String() }),
      handle: () => ({ chains: JSON.stringify(shown) }),
    }),
  ]
}

function strike(chain: ChainConfig): ChainConfig {
  const entries = Object.entries(chain).map(([name, value]) => [
    name,
    typeof value === 'string' && URL.canParse(value) ? strikeUrl(value) : value,
  ])
  return Object.fromEntries(entries) as ChainConfig
}

/** Where the endpoint is, and nothing else: providers take keys as user, path and query. */
function strikeUrl(text: string): string {
  const { protocol, host } = new URL(text)
  return `${protocol}//${host}`
}

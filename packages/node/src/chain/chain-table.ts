import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { ChainConfig } from './chain.ts'
import { ChainError } from './errors.ts'
import { networks } from './networks.ts'

const url = Type.String({ pattern: '^https?://[^\\s]+$', maxLength: 2048 })
const address = Type.String({ pattern: '^0x[0-9a-fA-F]{40}$' })

const itemSchema = Type.Object(
  {
    chainID: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
    name: Type.String({ minLength: 1, maxLength: 64 }),
    endpoint: url,
    confirmations: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
    aaBundlerEndpoint: Type.Optional(url),
    aaPaymasterEndpoint: Type.Optional(url),
    aaEntryPointContractAddress: Type.Optional(address),
    aaAccountFactoryContractAddress: Type.Optional(address),
  },
  { additionalProperties: false },
)
const item = Compile(itemSchema)

/** More than anybody serves; keeps a mistaken file from being taken for a table. */
const maxChains = 1000

/**
 * The chain table: the built-in networks and those of the configuration, which replace built-in ones of the same chain id or
 * name.
 * @param json the JSON array of `W3BSTREAM_CHAINS`
 * @throws ChainError CHAIN_CONFIG_INVALID with every mistake at once
 */
export function parseChains(json?: string): readonly ChainConfig[] {
  if (json === undefined || json.trim() === '') return networks
  const items = parseArray(json)
  const problems = items.flatMap((value, index) => itemProblems(value, `[${index}]`))
  if (problems.length === 0) problems.push(...duplicates(items as ChainItem[]))
  if (problems.length > 0) throw new ChainError({ code: 'CHAIN_CONFIG_INVALID', problems })
  const own = (items as ChainItem[]).map((chain) => ({ ...chain, chainID: chain.chainID ?? 0 }))
  const replaced = (built: ChainConfig) => own.some((chain) => sameChain(chain, built))
  return [...networks.filter((built) => !replaced(built)), ...own]
}

type ChainItem = Type.Static<typeof itemSchema>

function parseArray(json: string): unknown[] {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (cause) {
    const problems = [`not JSON: ${(cause as Error).message}`]
    throw new ChainError({ code: 'CHAIN_CONFIG_INVALID', problems }, { cause })
  }
  if (!Array.isArray(value))
    throw new ChainError({ code: 'CHAIN_CONFIG_INVALID', problems: ['wanted a JSON array of chains'] })
  if (value.length > maxChains)
    throw new ChainError({ code: 'CHAIN_CONFIG_INVALID', problems: [`${value.length} chains, at most ${maxChains}`] })
  return value
}

function itemProblems(value: unknown, at: string): string[] {
  if (!item.Check(value))
    return item.Errors(value).map((error) => {
      const extra = 'additionalProperties' in error.params ? ` (${error.params.additionalProperties})` : ''
      return `${at}${error.instancePath.replaceAll('/', '.')}: ${error.message}${extra}`
    })
  if (!URL.canParse(value.endpoint)) return [`${at}.endpoint: not a URL`]
  if (!value.chainID && !isSolanaName(value.name))
    return [`${at}.chainID: missing for ${value.name}; only Solana's networks (solana-…) have none`]
  return []
}

function duplicates(items: readonly ChainItem[]): string[] {
  return items.flatMap((chain, index) => {
    const first = items.findIndex((other) => sameChain(other, chain))
    return first < index ? [`[${index}]: the same chain id or name as [${first}]`] : []
  })
}

function sameChain(a: Pick<ChainItem, 'chainID' | 'name'>, b: Pick<ChainItem, 'chainID' | 'name'>): boolean {
  return a.name === b.name || (!!a.chainID && a.chainID === b.chainID)
}

/** Solana's networks are the ones without a chain id. */
function isSolanaName(name: string): boolean {
  return name.startsWith('solana-')
}

/**
 * Looks a chain up by id when there is one, otherwise by name.
 * @throws ChainError CHAIN_NOT_FOUND
 */
export function findChain(
  chains: readonly ChainConfig[],
  { chainId, chainName }: { chainId: bigint; chainName: string },
): ChainConfig {
  const found =
    chainId !== 0n
      ? chains.find((chain) => BigInt(chain.chainID) === chainId)
      : chains.find((chain) => chain.name === chainName)
  if (!found) throw new ChainError({ code: 'CHAIN_NOT_FOUND', chain: chainId !== 0n ? `${chainId}` : chainName })
  return found
}

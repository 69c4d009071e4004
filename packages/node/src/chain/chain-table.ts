import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { ChainConfig } from './chain.ts'
import { ChainError, type ChainProblem } from './errors.ts'
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

/** The right value of each field, in words. */
const wantedOf: Readonly<Record<string, string>> = {
  chainID: 'a whole number',
  name: 'a name of 1 to 64 characters',
  endpoint: 'an http:// or https:// URL',
  confirmations: 'a whole number from 1 to 10000',
  aaBundlerEndpoint: 'an http:// or https:// URL',
  aaPaymasterEndpoint: 'an http:// or https:// URL',
  aaEntryPointContractAddress: 'an address (0x and 40 hexadecimal digits)',
  aaAccountFactoryContractAddress: 'an address (0x and 40 hexadecimal digits)',
}

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
  if (problems.length > 0) throw invalid(problems)
  const own = (items as ChainItem[]).map((chain) => ({ ...chain, chainID: chain.chainID ?? 0 }))
  const replaced = (built: ChainConfig) => own.some((chain) => sameChain(chain, built))
  return [...networks.filter((built) => !replaced(built)), ...own]
}

type ChainItem = Type.Static<typeof itemSchema>

function parseArray(json: string): unknown[] {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    // The parser's message and the error itself quote the text, and with it the keys of endpoints.
    const position = /at position (\d+)/.exec((error as Error).message)?.[1]
    throw invalid([{ at: '', value: '***', wanted: `JSON${position ? ` (wrong at character ${position})` : ''}` }])
  }
  if (!Array.isArray(value)) throw invalid([{ at: '', value: shown(value), wanted: 'a JSON array of chains' }])
  if (value.length > maxChains)
    throw invalid([{ at: '', value: `${value.length} chains`, wanted: `at most ${maxChains} chains` }])
  return value
}

function invalid(problems: readonly ChainProblem[]): ChainError {
  return new ChainError({ code: 'CHAIN_CONFIG_INVALID', problems })
}

function itemProblems(value: unknown, at: string): ChainProblem[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [{ at, value: shown(value), wanted: 'an object {"chainID"?, "name", "endpoint"}' }]
  const given = value as Readonly<Record<string, unknown>>
  const unknown = Object.keys(given)
    .filter((name) => !Object.hasOwn(wantedOf, name))
    .map((name) => ({ at: `${at}.${cut(name)}`, value: 'given', wanted: 'a field of a chain' }))
  const problems = [...unknown, ...wrongFields(given).map((name) => fieldProblem(given, name, at))]
  if (problems.length > 0) return problems
  const chain = value as ChainItem
  if (chain.chainID || isSolanaName(chain.name)) return []
  return [{ at: `${at}.chainID`, value: '', wanted: 'a chain id; only networks of Solana (solana-…) have none' }]
}

/** Names of declared fields that are missing or have a wrong value. */
function wrongFields(given: Readonly<Record<string, unknown>>): string[] {
  const wrong = new Set<string>()
  for (const { instancePath, params } of item.Errors(given)) {
    const field = instancePath.split('/')[1]
    if (field !== undefined) wrong.add(field)
    else if ('requiredProperties' in params) for (const name of params.requiredProperties) wrong.add(name)
  }
  for (const [name, value] of Object.entries(given))
    if (name.toLowerCase().endsWith('endpoint') && !URL.canParse(String(value))) wrong.add(name)
  return [...wrong].filter((name) => Object.hasOwn(wantedOf, name))
}

function fieldProblem(given: Readonly<Record<string, unknown>>, name: string, at: string): ChainProblem {
  const value = given[name]
  const secret = name.toLowerCase().endsWith('endpoint') && value !== undefined && value !== ''
  return { at: `${at}.${name}`, value: secret ? '***' : shown(value), wanted: wantedOf[name] ?? '' }
}

/** An endpoint's path and query often are its API key. */
function shown(value: unknown): string {
  if (value === undefined) return ''
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  const text = String(value)
  return text.includes('://') ? '***' : cut(text)
}

function cut(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

function duplicates(items: readonly ChainItem[]): ChainProblem[] {
  return items.flatMap((chain, index) => {
    const first = items.findIndex((other) => sameChain(other, chain))
    if (first >= index) return []
    const value = `${chain.chainID ?? ''} ${chain.name}`.trim()
    return [{ at: `[${index}]`, value: shown(value), wanted: `another chain id and name than [${first}] has` }]
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

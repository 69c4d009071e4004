export interface ChainEntry {
  readonly chainID?: number
  readonly name: string
  readonly endpoint: string
}

export const builtInChainHint = 'set another endpoint for it in W3BSTREAM_CHAINS'

/** The chains that an operator configured; those of the built-in table are asked only when a project uses them. */
export function configuredChains(text: string | undefined): readonly ChainEntry[] {
  if (text === undefined) return []
  const chains = JSON.parse(text) as ChainEntry[]
  return chains.filter(({ chainID }) => chainID)
}

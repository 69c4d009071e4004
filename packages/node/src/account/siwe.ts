import { ApiError } from '../endpoint/api-error.ts'
import type { AccountsOptions } from './account.ts'

/** Clocks of wallets and nodes differ. */
const clockSkewMs = 60_000
const maxMessageLength = 8192

export interface SiweLogin {
  /** Lower-case, with prefix. */
  readonly address: string
  readonly nonce: string
  /** After this the message is refused for its age, so its nonce need not be remembered. */
  readonly expiresMs: number
}

/**
 * Checks an EIP-4361 message and its signature by an externally owned account: syntax, domain, chain, times, signer.
 * That the nonce is new is for the caller to check, last.
 * @throws ApiError InvalidEthLoginMessage, InvalidEthLoginSignature
 */
export async function verifySiwe(
  message: string,
  signature: string,
  options: AccountsOptions['siwe'],
  nowMs: number,
): Promise<SiweLogin> {
  const parsed = await parse(message)
  checkDomain(parsed.domain, parsed.uri, options.domains)
  if (options.chainIds.length > 0 && !options.chainIds.includes(parsed.chainId))
    throw refused(`chain ${parsed.chainId} is not served here`)
  const expiresMs = checkTimes(parsed, options.freshMs, nowMs)
  await checkSignature(parsed.address, message, signature)
  return { address: parsed.address.toLowerCase(), nonce: parsed.nonce, expiresMs }
}

type Parsed = Awaited<ReturnType<typeof parse>>

/** The library is loaded at the first login by wallet: it takes longer and more memory than the rest of accounts. */
async function parse(message: string) {
  if (message.length > maxMessageLength) throw refused('too long')
  const { parseSiweMessage } = await import('viem/siwe')
  const { domain, address, uri, version, chainId, nonce, issuedAt, expirationTime, notBefore } =
    parseSiweMessage(message)
  if (!domain || !address || !uri || !chainId || !nonce || !issuedAt) throw refused('not an EIP-4361 message')
  if (version !== '1') throw refused('version is not 1')
  if (!/^[a-zA-Z0-9]{8,128}$/.test(nonce)) throw refused('the nonce must have 8 to 128 letters and digits')
  for (const [name, time] of Object.entries({ issuedAt, expirationTime, notBefore }))
    if (time && Number.isNaN(time.getTime())) throw refused(`${name} is not a date`)
  return { domain, address, uri, chainId, nonce, issuedAt, expirationTime, notBefore }
}

/** An allowed name without port allows every port. */
function checkDomain(domain: string, uri: string, allowed: readonly string[]): void {
  const host = domain.toLowerCase()
  const name = host.replace(/:\d{1,5}$/, '')
  if (!allowed.some((entry) => entry.toLowerCase() === host || entry.toLowerCase() === name))
    throw refused(`domain ${domain} may not log in here`)
  if (!URL.canParse(uri)) throw refused('the URI is not one')
}

/** @returns when the message becomes invalid */
function checkTimes({ issuedAt, expirationTime, notBefore }: Parsed, freshMs: number, nowMs: number): number {
  if (notBefore && notBefore.getTime() > nowMs) throw refused('not valid yet')
  if (issuedAt.getTime() > nowMs + clockSkewMs) throw refused('issued in the future')
  const expiresMs = expirationTime?.getTime() ?? issuedAt.getTime() + freshMs
  if (expiresMs <= nowMs) throw refused(expirationTime ? 'expired' : 'issued too long ago')
  return expiresMs
}

async function checkSignature(address: `0x${string}`, message: string, signature: string): Promise<void> {
  if (!/^0x[0-9a-fA-F]{130}$/.test(signature))
    throw new ApiError('InvalidEthLoginSignature', 'a signature is 65 bytes, hexadecimal with 0x')
  const { verifyMessage } = await import('viem/utils')
  // Recovery throws on points that are none; to the caller that is one more wrong signature.
  const good = await verifyMessage({ address, message, signature: signature as `0x${string}` }).catch(() => false)
  if (!good) throw new ApiError('InvalidEthLoginSignature', 'the signature is not of that address')
}

function refused(reason: string): ApiError {
  return new ApiError('InvalidEthLoginMessage', reason)
}

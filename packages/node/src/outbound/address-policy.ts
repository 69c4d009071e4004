import { networkInterfaces } from 'node:os'
import ipaddr from 'ipaddr.js'

type Network = [ipaddr.IPv4 | ipaddr.IPv6, number]

/** Addresses that look public and belong to the machine's provider: they tell secrets of the machine. */
const metadataServices = new Set(['168.63.129.16'])

/** What of IPv6 is given out (RFC 4291, section 2.4): private networks and old forms of addresses use parts of the rest. */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3')

/** @returns undefined when it is no network in CIDR form */
export function parseNetwork(text: string): Network | undefined {
  try {
    return ipaddr.parseCIDR(text)
  } catch {
    return undefined
  }
}

/**
 * Tells public addresses from those that only somebody inside could reach: loopback, private and link-local networks,
 * carriers' shared ones, metadata services, tunnels that lead to any of these, and the machine's own addresses.
 */
export class AddressPolicy {
  readonly #allowed: readonly Network[]
  readonly #ownAddresses: () => readonly string[]

  /** @param privateNetworks in CIDR form, which may be reached nevertheless */
  constructor(privateNetworks: readonly string[], ownAddresses: () => readonly string[] = addressesOfMachine) {
    this.#allowed = privateNetworks.map((text) => parseNetwork(text)).filter((network) => network !== undefined)
    this.#ownAddresses = ownAddresses
  }

  allows(address: string): boolean {
    const parsed = parse(address)
    if (!parsed) return false
    if (this.#allowed.some(([base, bits]) => base.kind() === parsed.kind() && parsed.match(base, bits))) return true
    if (parsed.range() !== 'unicast' || (parsed instanceof ipaddr.IPv6 && !parsed.match(globalUnicast))) return false
    const text = parsed.toString()
    return !metadataServices.has(text) && !this.#ownAddresses().some((own) => parse(own)?.toString() === text)
  }
}

/** IPv4 addresses written as IPv6 count as what they are. */
function parse(address: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  const bare = address.split('%')[0]!
  const canonical = bare.includes(':') ? ipaddr.IPv6.isValid(bare) : ipaddr.IPv4.isValidFourPartDecimal(bare)
  return canonical ? ipaddr.process(bare) : undefined
}

function addressesOfMachine(): string[] {
  return Object.values(networkInterfaces()).flatMap((entries = []) => entries.map(({ address }) => address))
}

import { promises as dns, type LookupAddress } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { buildConnector } from 'undici'
import type { AddressPolicy } from './address-policy.ts'
import { OutboundError } from './errors.ts'

/** All addresses of a name. */
export type Resolve = (name: string) => Promise<readonly LookupAddress[]>

/** Time of one question to a name server, milliseconds; it is asked twice. */
const questionMs = 2500

/**
 * Asks name servers without the system's resolver, whose few threads are also those of the file system: a server that never
 * answers would stop the node's disk.
 */
export const resolveByDns: Resolve = async (name) => {
  if (name === 'localhost' || name.endsWith('.localhost'))
    return [
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ]
  const resolver = new dns.Resolver({ timeout: questionMs, tries: 2 })
  const [four, six] = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)])
  const found = [
    ...(four.status === 'fulfilled' ? four.value.map((address) => ({ address, family: 4 })) : []),
    ...(six.status === 'fulfilled' ? six.value.map((address) => ({ address, family: 6 })) : []),
  ]
  if (found.length === 0 && four.status === 'rejected') throw four.reason
  return found
}

/**
 * Connects only to addresses that the policy allows. What was resolved is what is connected to: a name that says something
 * else at a second question gains nothing, since there is none.
 */
export function guardedConnector(policy: AddressPolicy, resolve: Resolve, timeoutMs: number): buildConnector.connector {
  const lookup: LookupFunction = (name, options, callback) => {
    resolve(name).then(
      (addresses) => {
        const allowed = addresses.filter(({ address }) => policy.allows(address))
        const [first] = allowed
        if (!first) callback(refusal(name, addresses), '', 0)
        else if (options.all)
          callback(
            null,
            allowed.map(({ address, family }) => ({ address, family })),
          )
        else callback(null, first.address, first.family)
      },
      (error: unknown) => callback(unreachable(name, error), '', 0),
    )
  }
  const connect = buildConnector({ lookup, timeout: timeoutMs, allowH2: false })
  return (options, callback) => {
    const host = options.hostname.replace(/^\[|\]$/g, '')
    // Addresses are not looked up.
    if (isIP(host) !== 0 && !policy.allows(host)) {
      callback(new OutboundError({ code: 'OUTBOUND_ADDRESS', host }), null)
      return
    }
    connect({ ...options, hostname: host }, (error, socket) => {
      if (error) return callback(unreachable(host, error), null)
      if (policy.allows(socket.remoteAddress ?? '')) return callback(null, socket)
      socket.destroy()
      callback(new OutboundError({ code: 'OUTBOUND_ADDRESS', host }), null)
    })
  }
}

function refusal(host: string, addresses: readonly LookupAddress[]): OutboundError {
  return addresses.length > 0
    ? new OutboundError({ code: 'OUTBOUND_ADDRESS', host })
    : new OutboundError({ code: 'OUTBOUND_UNREACHABLE', host, detail: 'the name has no address' })
}

function unreachable(host: string, error: unknown): OutboundError {
  if (error instanceof OutboundError) return error
  const detail = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error)
  return new OutboundError({ code: 'OUTBOUND_UNREACHABLE', host, detail }, { cause: error })
}

import { type EffectBody, toHex } from '@w3bstream/protocol'
import { OutboundError, type OutboundFault } from '../../outbound/errors.ts'
import type { Outbound, OutboundResponse } from '../../outbound/outbound.ts'
import { counter, type Metrics } from '../../telemetry/metrics.ts'
import { type ApiResponse, jsonResponse } from '../api-call/response.ts'
import { mayReach } from '../api-call/web-call.ts'
import { TryLater } from './try-later.ts'

export type ApiCall = Extract<EffectBody, { kind: 'api' }>

/** How often a request is made at most. */
const maxAttempts = 5
/** The longest that a server may ask to wait, milliseconds; beyond, its answer counts. */
const maxRetryAfterMs = 300_000

const idempotent = new Set(['GET', 'HEAD', 'PUT', 'DELETE'])
/** Not sent: it is about the answer's event. */
const eventHeader = 'Eventtype'

/** What a request came to. */
export interface WebOutcome {
  readonly response: ApiResponse
  /** Why there is no answer of the server; the response then says the same. */
  readonly failure?: string
}

/** Makes the HTTP requests of applets, again where that does no harm, and counts them. */
export class WebRequests {
  readonly #outbound: Outbound
  readonly #outcomes

  constructor(outbound: Outbound, metrics: Metrics) {
    this.#outbound = outbound
    const help = 'HTTP requests of applets, by what came of each.'
    this.#outcomes = counter(metrics, 'w3b_outbound_requests_total', help, ['outcome'])
  }

  /**
   * @param hosts that the project may reach
   * @param attempts made before
   * @throws TryLater when it is worth while; the signal's reason
   */
  async make(
    call: ApiCall,
    { id, hosts, attempts, nowMs }: { id: Uint8Array; hosts: readonly string[]; attempts: number; nowMs: number },
    signal: AbortSignal,
  ): Promise<WebOutcome> {
    const { [eventHeader]: _, ...header } = call.header
    const { url, method, body } = call
    const allows = (host: string, port: number) => mayReach(hosts, host, port)
    const mayRetry = attempts + 1 < maxAttempts
    try {
      const request = { url, method, header, body, idempotencyKey: toHex(id), allows }
      const response = await this.#outbound.send(request, signal)
      const afterMs = mayRetry && idempotent.has(method) ? retryAfter(response, nowMs) : undefined
      if (afterMs !== undefined) throw new TryLater(`the server answered ${response.status}`, afterMs)
      this.#outcomes.inc({ outcome: 'answered' })
      return { response: { ...response, header: spelled(response.header) } }
    } catch (error) {
      if (error instanceof TryLater) this.#outcomes.inc({ outcome: 'retried' })
      if (!(error instanceof OutboundError)) throw error
      if (mayRetry && isWorthAnother(error.code, method)) {
        this.#outcomes.inc({ outcome: 'retried' })
        throw new TryLater(error.message)
      }
      this.#outcomes.inc({ outcome: outcomeOf[error.code] })
      return failed(error)
    }
  }
}

const outcomeOf: Readonly<Record<OutboundFault['code'], string>> = {
  OUTBOUND_HOST: 'refused',
  OUTBOUND_ADDRESS: 'refused',
  OUTBOUND_REDIRECTS: 'refused',
  OUTBOUND_UNREACHABLE: 'unreachable',
  OUTBOUND_BROKEN: 'broken',
  OUTBOUND_TIMEOUT: 'timeout',
  OUTBOUND_TOO_LARGE: 'too_large',
}

/** As a gateway answers: 403 for what is not allowed, 504 for what took too long, 502 for the rest. */
function failed(error: OutboundError): WebOutcome {
  const refused = outcomeOf[error.code] === 'refused'
  const status = refused ? 403 : error.code === 'OUTBOUND_TIMEOUT' ? 504 : 502
  return { response: jsonResponse(status, { error: error.message }), failure: error.message }
}

/** What the server never got may be sent again; what it may have got, only when twice is the same as once. */
function isWorthAnother(code: OutboundFault['code'], method: string): boolean {
  return code === 'OUTBOUND_UNREACHABLE' || (code === 'OUTBOUND_BROKEN' && idempotent.has(method))
}

/** How long a server that has no time asks to wait (RFC 9110, section 10.2.3). */
function retryAfter({ status, header }: OutboundResponse, nowMs: number): number | undefined {
  if (status !== 429 && status !== 503) return undefined
  const text = header['retry-after']?.[0]?.trim() ?? '0'
  const afterMs = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs
  if (Number.isNaN(afterMs)) return 0
  return afterMs > maxRetryAfterMs ? undefined : Math.max(afterMs, 0)
}

/** Headers in the spelling of the other answers. */
function spelled(header: OutboundResponse['header']): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(header).map(([name, values]) => [
      name.toLowerCase().replace(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase()),
      values,
    ]),
  )
}

import { deriveSfid, type EffectBody, effectId, toHex } from '@w3bstream/protocol'
import { HostFault, type Transaction } from '../../engine/engine.ts'
import { type ApiRequest, readApiRequest } from './request.ts'
import { type ApiResponse, encodeResponse, jsonResponse, notARequest } from './response.ts'
import { answerSystemCall, systemPath } from './system-call.ts'
import { answerWebCall, isWebUrl } from './web-call.ts'

/** What a call uses of the handler's host. */
export interface ApiCallHost {
  readonly project: Uint8Array
  readonly height: bigint
  /** Time of the batch. */
  readonly timeMs: number
  /** The project's setting. */
  readonly outboundHosts: readonly string[]
  /** The number that the next effect of this batch gets if it is kept. */
  nextEffect(): number
  /** Makes sure that so many effects and bytes fit. @throws HostFault Limit */
  reserve(effects: number, bytes: number): void
  push(body: EffectBody): void
  /** Signs, and puts the transaction among the effects. @throws HostFault Chain, Limit */
  sendTransaction(transaction: Transaction): Promise<string>
}

/** How long the end of a transaction is waited for, milliseconds: as in the earlier generation. */
export const transactionWaitMs = 2 * 3_600_000

/**
 * Answers `ws_api_call`: at once what follows from the request and the project, the rest as an effect of kind `api`, whose
 * answer comes later as an event.
 */
export function answerApiCall(bytes: Uint8Array, host: ApiCallHost): Uint8Array | Promise<Uint8Array> {
  const request = readApiRequest(bytes)
  if (!request) return notARequest
  const answer = (response: ApiResponse) => encodeResponse(response, request.header)
  if (isWebUrl(request.url)) {
    const response = answerWebCall(request, host.outboundHosts)
    if (response.status === 202) reserveAndAsk(host, request, request.url, request.body)
    return answer(response)
  }
  const path = systemPath(request.url)
  if (path === undefined) return notARequest
  const found = answerSystemCall(path, request)
  if (found.type === 'send') return send(host, request, found.transaction).then(answer)
  if (found.type === 'asked') reserveAndAsk(host, request, found.url, found.body)
  return answer(found.response)
}

function reserveAndAsk(host: ApiCallHost, request: ApiRequest, url: string, body: Uint8Array): void {
  host.reserve(1, url.length + body.length + headerBytes(request))
  ask(host, request, url, body)
}

function ask(host: ApiCallHost, { method, header, eventType }: ApiRequest, url: string, body: Uint8Array): void {
  host.push({ kind: 'api', method, url, header, body, eventType })
}

function headerBytes({ header }: ApiRequest): number {
  return JSON.stringify(header).length
}

/**
 * Two effects: the transaction, and the promise to tell its end. One that cannot be signed has the second only, which says
 * why.
 */
async function send(host: ApiCallHost, request: ApiRequest, transaction: Transaction): Promise<ApiResponse> {
  // Before the signature: what is signed must be told of.
  host.reserve(2, request.body.length + headerBytes(request))
  const index = host.nextEffect()
  const transactionID = deriveSfid(host.project, 'transaction', host.height, index)
  const refusal = await refusalOf(host.sendTransaction(transaction))
  if (refusal?.startsWith('CHAIN_NOT_FOUND')) return jsonResponse(400, { error: 'blockchain not exist' })
  const told =
    refusal === undefined
      ? {
          transactionID,
          effect: toHex(effectId(host.project, host.height, index)),
          untilMs: host.timeMs + transactionWaitMs,
        }
      : { transactionID, error: refusal }
  ask(host, request, '/system/send_tx', new TextEncoder().encode(JSON.stringify(told)))
  return jsonResponse(200, { transactionID })
}

async function refusalOf(sending: Promise<string>): Promise<string | undefined> {
  try {
    await sending
    return undefined
  } catch (error) {
    if (error instanceof HostFault && error.reason === 'Chain') return error.message
    throw error
  }
}

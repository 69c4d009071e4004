import { deriveSfid, type EffectBody, effectId, type Hex, toHex } from '@w3bstream/protocol'
import type { MaybePromise } from '../../database/database.ts'
import { HostFault, type Transaction } from '../../engine/engine.ts'
import { type ApiRequest, parseObject, readApiRequest } from './request.ts'
import { type ApiResponse, encodeResponse, jsonResponse, notARequest } from './response.ts'
import { answerSystemCall, stateOfTransaction, systemPath } from './system-call.ts'
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
  /** What the project's state says of a transaction by the id that its sender was told. */
  transactionPlace(transactionID: string): MaybePromise<Uint8Array | undefined>
  /** Writes it into the state, as part of the call. @throws HostFault Limit */
  putTransactionPlace(transactionID: string, place: Uint8Array): void
}

/** Where a transaction stands in the history, as the state has it. */
interface Place {
  readonly height: string
  readonly effect: Hex
}

/** Name space of the state that has the places of transactions. */
export const transactionSpace = 'transaction'

/** How long the end of a transaction is waited for, milliseconds: as in the earlier generation. */
const transactionWaitMs = 2 * 3_600_000

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
  if (found.type !== 'asked') return answer(found.response)
  if (found.url === stateOfTransaction) return askState(host, request).then(() => answer(found.response))
  reserveAndAsk(host, request, found.url, found.body)
  return answer(found.response)
}

/** Asks for the end of a transaction that was sent before; of one that the state does not know, without a place. */
async function askState(host: ApiCallHost, request: ApiRequest): Promise<void> {
  const { transactionID } = parseObject(request.body) as { transactionID: string }
  const known = isSfid(transactionID) ? await host.transactionPlace(transactionID) : undefined
  const place = known && (parseObject(known) as unknown as Place)
  const asked = { transactionID, ...place, untilMs: host.timeMs + transactionWaitMs }
  reserveAndAsk(host, request, stateOfTransaction, encodeJson(asked))
}

function isSfid(text: string): boolean {
  return /^\d{1,20}$/.test(text)
}

function encodeJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value))
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
  if (refusal !== undefined) {
    ask(host, request, '/system/send_tx', encodeJson({ transactionID, error: refusal }))
    return jsonResponse(200, { transactionID })
  }
  const effect = toHex(effectId(host.project, host.height, index))
  const place: Place = { height: host.height.toString(), effect }
  host.putTransactionPlace(transactionID, encodeJson(place))
  const told = { transactionID, effect, untilMs: host.timeMs + transactionWaitMs }
  ask(host, request, '/system/send_tx', encodeJson(told))
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

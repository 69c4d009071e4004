import { type ProjectKey, W3bstreamError } from '@w3bstream/protocol'
import type { Chains } from '../../chain/chain.ts'
import { ChainError } from '../../chain/errors.ts'
import type { OutboxRow, ProjectReader } from '../../database/database.ts'
import { ProvingError } from '../../proving/errors.ts'
import type { Prover } from '../../proving/prover.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { parseObject } from '../api-call/request.ts'
import { type ApiResponse, jsonResponse } from '../api-call/response.ts'
import { stateOfTransaction } from '../api-call/system-call.ts'
import { isWebUrl } from '../api-call/web-call.ts'
import { readTold, type TransactionEnds, type TransactionPlace } from './transaction-ends.ts'
import type { ApiCall, WebOutcome, WebRequests } from './web-request.ts'

export interface ApiCallsDeps {
  readonly chains: Pick<Chains, 'readTransaction'>
  /** Absent: the node has none. */
  readonly prover: Prover | undefined
  readonly web: WebRequests
  readonly ends: TransactionEnds
  outboundHosts(project: ProjectKey): Promise<readonly string[]>
  reader(project: ProjectKey): Promise<Pick<ProjectReader, 'outbox'>>
  readonly now: () => number
  readonly logger: Logger
}

/** A call with its place. */
export interface PlacedCall {
  readonly project: ProjectKey
  readonly row: OutboxRow
  readonly call: ApiCall
  /** Times that it was tried before. */
  readonly attempts: number
}

/** Which sort of work a call is, because each has limits of its own. */
export type CallSort = 'system' | 'web' | 'proof' | 'end'

export function sortOf({ url }: ApiCall): CallSort {
  if (isWebUrl(url)) return 'web'
  if (url === '/system/gen_zk_proof') return 'proof'
  return url.startsWith('/system/send_tx') ? 'end' : 'system'
}

/**
 * Carries out what applets asked of the node's API.
 * @returns the answer; for what went wrong, one that says so
 * @throws TryLater; the signal's reason
 */
export function carryOutCall(placed: PlacedCall, deps: ApiCallsDeps, signal: AbortSignal): Promise<WebOutcome> {
  const { call } = placed
  if (isWebUrl(call.url)) return makeRequest(placed, deps, signal)
  const handler = handlers[call.url] ?? unknownCall
  return handler(placed, deps, signal).then(
    (response) => ({ response }),
    (error: unknown) => {
      signal.throwIfAborted()
      deps.logger.info('a call of an applet failed', { project: placed.project, url: call.url }, error)
      const failure = failureOf(error)
      return { response: jsonResponse(500, { error: failure }), failure }
    },
  )
}

/** What an applet is told: chains say what was wrong with the call; texts of others may name addresses and files. */
function failureOf(error: unknown): string {
  if (error instanceof ChainError) return error.message
  return error instanceof W3bstreamError ? error.code : 'InternalServerError'
}

async function makeRequest(
  { project, row, call, attempts }: PlacedCall,
  { web, outboundHosts, now }: ApiCallsDeps,
  signal: AbortSignal,
): Promise<WebOutcome> {
  // Asked again: they may have changed since the call.
  const hosts = await outboundHosts(project)
  return web.make(call, { id: row.id, hosts, attempts, nowMs: now() }, signal)
}

type Handler = (placed: PlacedCall, deps: ApiCallsDeps, signal: AbortSignal) => Promise<ApiResponse>

const handlers: Readonly<Record<string, Handler>> = {
  '/system/hello': async ({ call }) => jsonResponse(200, `{"async message": "hello ${call.header.Name?.[0] ?? ''}"}`),
  '/system/read_tx': readTransaction,
  '/system/send_tx': tellEnd,
  [stateOfTransaction]: tellStateOfOther,
  '/system/gen_zk_proof': prove,
}

async function unknownCall({ call }: PlacedCall): Promise<ApiResponse> {
  return { status: 404, body: `404 page not found: ${call.url}` }
}

async function readTransaction({ call }: PlacedCall, { chains }: ApiCallsDeps): Promise<ApiResponse> {
  const { chainName, hash } = parseObject(call.body) as { chainName: string; hash: string }
  return jsonResponse(200, { transaction: await chains.readTransaction({ chainName, hash }) })
}

async function tellEnd(
  { project, row, call }: PlacedCall,
  deps: ApiCallsDeps,
  signal: AbortSignal,
): Promise<ApiResponse> {
  const { transactionID, effect, untilMs, error } = readTold(call.body)!
  if (effect === undefined) return jsonResponse(200, { transactionID, state: 'FAILED', error })
  return end({ project, transactionID, place: { height: row.height, effect }, untilMs: untilMs! }, deps, signal)
}

/** The end of a transaction that another call sent. */
async function tellStateOfOther(
  { project, call }: PlacedCall,
  deps: ApiCallsDeps,
  signal: AbortSignal,
): Promise<ApiResponse> {
  const { transactionID, effect, height, untilMs } = readTold(call.body)!
  if (effect === undefined) return jsonResponse(404, { error: `no transaction ${transactionID}` })
  return end({ project, transactionID, place: { height: BigInt(height!), effect }, untilMs: untilMs! }, deps, signal)
}

async function end(
  {
    project,
    transactionID,
    place,
    untilMs,
  }: { project: ProjectKey; transactionID: string; place: TransactionPlace; untilMs: number },
  { reader, ends }: ApiCallsDeps,
  signal: AbortSignal,
): Promise<ApiResponse> {
  const found = await ends.wait(await reader(project), place, untilMs, signal)
  return jsonResponse(200, { transactionID, ...found })
}

async function prove({ call }: PlacedCall, { prover }: ApiCallsDeps, signal: AbortSignal): Promise<ApiResponse> {
  if (!prover) throw new ProvingError({ code: 'PROVER_NONE' })
  const json = parseObject(call.body) ?? {}
  const text = (name: string) => (typeof json[name] === 'string' ? json[name] : JSON.stringify(json[name] ?? ''))
  const receipt = await prover.prove(
    {
      imageId: text('imageID'),
      privateInput: text('privateInput'),
      publicInput: text('publicInput'),
      receiptType: text('receiptType'),
    },
    signal,
  )
  return jsonResponse(200, { receipt })
}

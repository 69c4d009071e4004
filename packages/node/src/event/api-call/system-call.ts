import type { Transaction } from '../../engine/engine.ts'
import { type ApiRequest, parseObject } from './request.ts'
import { type ApiResponse, jsonResponse } from './response.ts'

const host = 'w3bstream.com'

/** Path of the question for the end of another call's transaction. */
export const stateOfTransaction = '/system/send_tx/async/state'

/** What a call comes to before anything outside is asked. */
export type ApiAnswer =
  /** Answered for good. */
  | { readonly type: 'answered'; readonly response: ApiResponse }
  /** Answered for now; the rest is asked for after the commit, with this body. */
  | { readonly type: 'asked'; readonly url: string; readonly body: Uint8Array; readonly response: ApiResponse }
  /** A transaction is to be signed first. */
  | { readonly type: 'send'; readonly transaction: Transaction }

const empty: ApiResponse = { status: 200, body: '' }

/** Path of a call to the system; undefined when the URL is another one. Kits send the full URL, some only the path. */
export function systemPath(url: string): string | undefined {
  const found = /^(?:w3bstream:\/\/([^/?#]*))?(\/[^?#]*)/.exec(url)
  return found && (found[1] === undefined || found[1].toLowerCase() === host) ? found[2] : undefined
}

/** The immediate answer, which follows from the request alone. Shapes: `docs/spec/host-abi.md`, section 10. */
export function answerSystemCall(path: string, request: ApiRequest): ApiAnswer {
  if (request.eventType === '') return { type: 'answered', response: empty }
  const known = path === stateOfTransaction ? path : path.replace(/\/async$/, '')
  const handler = handlers[`${request.method} ${known}`]
  if (!handler) return { type: 'answered', response: notFound }
  return handler(request, known)
}

const notFound: ApiResponse = {
  status: 404,
  header: { 'Content-Type': ['text/plain'] },
  body: '404 page not found',
}

const handlers: Readonly<Record<string, (request: ApiRequest, path: string) => ApiAnswer>> = {
  'GET /system/hello': ({ header, body }, url) => ({
    type: 'asked',
    url,
    body,
    response: jsonResponse(200, `{"message": "hello ${header.Name?.[0] ?? ''}"}`),
  }),
  'GET /system/read_tx': asking(['chainName', 'hash']),
  'POST /system/send_tx': sendTransaction,
  [`POST ${stateOfTransaction}`]: asking(['transactionID']),
  'POST /system/gen_zk_proof': asking([]),
}

/** A call whose body must be a JSON object with these texts, and which is answered later only. */
function asking(required: readonly string[]) {
  return ({ body }: ApiRequest, url: string): ApiAnswer => {
    const json = parseObject(body)
    if (!json) return refused('the body is no JSON object')
    const missing = required.find((name) => typeof json[name] !== 'string' || json[name] === '')
    if (missing !== undefined) return refused(`${missing} is required`)
    return { type: 'asked', url, body, response: empty }
  }
}

function sendTransaction({ body }: ApiRequest): ApiAnswer {
  const json = parseObject(body)
  if (!json) return refused('the body is no JSON object')
  const text = (name: string) => (typeof json[name] === 'string' ? json[name].trim() : '')
  for (const name of ['chainName', 'data']) if (text(name) === '') return refused(`${name} is required`)
  const value = text('value') || '0'
  if (!/^\d{1,78}$/.test(value) || BigInt(value) >= 1n << 256n) return refused('value is no decimal number of wei')
  const [chainName, to, data, operatorName] = [text('chainName'), text('to'), text('data'), text('operatorName')]
  return { type: 'send', transaction: { chainId: 0n, chainName, to, value: BigInt(value), data, operatorName } }
}

function refused(error: string): ApiAnswer {
  return { type: 'answered', response: jsonResponse(400, { error }) }
}

/** `w3b_publish` in JSON-RPC 2.0, for signed events over HTTP and for all events over WebSocket. */
import { isObject, readError } from './answers.ts'
import { ClientError } from './errors.ts'

export function rpcRequest(id: number, params: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method: 'w3b_publish', params })
}

/** The result of a response. @throws ClientError what its error says; ANSWER_INVALID */
export function readRpcResult(response: unknown): unknown {
  if (!isObject(response)) throw new ClientError({ code: 'ANSWER_INVALID', detail: 'not a JSON-RPC response' })
  const { error, result } = response
  if (error === undefined) return result
  if (!isObject(error)) throw new ClientError({ code: 'ANSWER_INVALID', detail: 'the error is not an object' })
  if (isObject(error.data)) throw readError(error.data, 500)
  throw new ClientError({ code: 'REFUSED', key: `RPC_${error.code}`, desc: String(error.message) })
}

import type { EventAnswer } from '../../endpoint/endpoint.ts'
import { ApiClient } from '../api-client.ts'
import { CliError } from '../errors.ts'
import type { Outgoing } from './transports.ts'

interface RpcAnswer {
  readonly result?: EventAnswer
  readonly error?: {
    readonly code: number
    readonly message: string
    readonly data?: { readonly key?: string; readonly desc?: string }
  }
}

/** `w3b_publish` by JSON-RPC over HTTP. */
export async function publishRpc({ url, channel, token, eventType, eventId, payload }: Outgoing): Promise<EventAnswer> {
  const params = {
    channel,
    eventType,
    eventId,
    timestamp: Date.now(),
    payload: Buffer.from(payload).toString('base64'),
    encoding: 'base64',
    token,
  }
  const api = new ApiClient({ url, token })
  const request = { jsonrpc: '2.0', id: 1, method: 'w3b_publish', params }
  const { result, error } = await api.request<RpcAnswer>('POST', '//rpc', { json: request })
  if (result) return result
  if (!error) throw new CliError({ code: 'CLI_ANSWER_UNREADABLE', url, detail: 'neither a result nor an error' })
  const { key = `RPC ${error.code}`, desc = error.message } = error.data ?? {}
  throw new CliError({ code: 'CLI_API', status: 0, key, desc, fields: [] })
}

import { envelopeToJson, toBase64 } from '@w3bstream/protocol'
import { isObject, parseJson, readAnswer } from './answers.ts'
import { ClientError, interruption } from './errors.ts'
import type { OutgoingEvent } from './event.ts'
import type { Settings } from './options.ts'
import { readRpcResult, rpcRequest } from './rpc.ts'
import { sealEvent } from './sign.ts'
import type { Transport } from './transport.ts'

interface Pending {
  resolve(response: unknown): void
  reject(error: unknown): void
}

/** One connection with the calls that wait for its answers. */
interface Link {
  readonly socket: WebSocket
  readonly opened: Promise<void>
  readonly pending: Map<number, Pending>
}

/** Events over JSON-RPC on one WebSocket, opened at the first event and again after it broke. */
export function createWsTransport(settings: Settings): Transport {
  const { token, channel, signer, project, timeoutMs } = settings
  const Socket = settings.webSocket ?? globalThis.WebSocket
  if (!Socket)
    throw new ClientError({ code: 'OPTIONS_INVALID', problems: ['webSocket: this platform has none, give one'] })
  let link: Link | undefined
  let lastId = 0

  function connected(): Link {
    if (link && link.socket.readyState <= Socket.OPEN) return link
    link = openLink(new Socket(rpcUrl(settings.url)))
    return link
  }

  async function paramsOf(event: OutgoingEvent): Promise<Record<string, unknown>> {
    if (signer && project) return { envelope: envelopeToJson(await sealEvent(event, project, signer)) }
    const { eventType, eventId, timestampMs: timestamp, idempotencyKey } = event
    const payload = toBase64(event.payload)
    // The token goes with the call, not into the URL: those end up in logs, and browsers send no header.
    return { channel, payload, encoding: 'base64', eventType, eventId, timestamp, idempotencyKey, token }
  }

  return {
    recognisesRetries: true,

    async send(event, signal) {
      const timeout = AbortSignal.timeout(timeoutMs)
      const either = AbortSignal.any([signal, timeout])
      const id = ++lastId
      const message = rpcRequest(id, await paramsOf(event))
      try {
        return readAnswer(readRpcResult(await exchange(connected(), id, message, either)))
      } catch (error) {
        throw interruption(error, signal, timeout, timeoutMs)
      }
    },

    close() {
      link?.socket.close(1000)
      return Promise.resolve()
    },
  }
}

/** `/rpc` when the URL names no path. */
function rpcUrl(text: string): URL {
  const url = new URL(text)
  if (url.pathname === '/') url.pathname = '/rpc'
  return url
}

function openLink(socket: WebSocket): Link {
  const pending = new Map<number, Pending>()
  const { promise: opened, resolve, reject } = Promise.withResolvers<void>()
  // Each call that waits for the opening sees the failure; the promise itself may have no other reader.
  opened.catch(() => {})
  socket.addEventListener('open', () => resolve())
  socket.addEventListener('message', ({ data }) => deliver(pending, data))
  socket.addEventListener('close', ({ code, reason }) => {
    const detail = `the connection closed (${code}${reason ? `, ${reason}` : ''})`
    const error = new ClientError({ code: 'NETWORK', detail })
    reject(error)
    for (const call of pending.values()) call.reject(error)
    pending.clear()
  })
  return { socket, opened, pending }
}

function deliver(pending: Map<number, Pending>, data: unknown): void {
  let response: unknown
  try {
    response = typeof data === 'string' ? parseJson(data) : undefined
  } catch {
    // Nobody can be told: a message that is no JSON answers no call.
    return
  }
  if (isObject(response) && typeof response.id === 'number') pending.get(response.id)?.resolve(response)
}

async function exchange({ socket, opened, pending }: Link, id: number, message: string, signal: AbortSignal) {
  signal.throwIfAborted()
  const answer = Promise.withResolvers<unknown>()
  const abort = () => answer.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  pending.set(id, answer)
  try {
    await Promise.race([opened, answer.promise])
    socket.send(message)
    return await answer.promise
  } finally {
    pending.delete(id)
    signal.removeEventListener('abort', abort)
  }
}

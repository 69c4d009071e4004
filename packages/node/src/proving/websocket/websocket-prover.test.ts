import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { createWebSocketProver } from './websocket-prover.ts'

const request = { imageId: '1, 2', privateInput: 'a', publicInput: 'b', receiptType: 'Stark' }
const never = new AbortController().signal

let server: WebSocketServer | undefined
afterEach(() => {
  for (const client of server?.clients ?? []) client.terminate()
  server?.close()
})

async function serve(answer: (socket: WebSocket, text: string) => void): Promise<string> {
  server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  server.on('connection', (socket) => socket.on('message', (data) => answer(socket, String(data))))
  await new Promise((resolve) => server!.once('listening', resolve))
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/proofs`
}

describe('prover over WebSocket', () => {
  it('sends one message and takes the first reply', async () => {
    let sent = ''
    const url = await serve((socket, text) => {
      sent = text
      socket.send('the proof')
      socket.send('more')
    })
    expect(await createWebSocketProver({ url }).prove(request, never)).toBe('the proof')
    expect(JSON.parse(sent)).toEqual({ private_input: 'a', public_input: 'b', receipt_type: 'Stark', image_id: '1, 2' })
  })

  it('says what went wrong', async () => {
    const refused = createWebSocketProver({ url: 'ws://127.0.0.1:1' })
    await expect(refused.prove(request, never)).rejects.toMatchObject({ code: 'PROVER_UNREACHABLE' })
    const silent = createWebSocketProver({ url: await serve(() => {}), timeoutMs: 20 })
    await expect(silent.prove(request, never)).rejects.toMatchObject({ code: 'PROVER_TIMEOUT' })
    server?.close()
    const gone = createWebSocketProver({ url: await serve((socket) => socket.close()) })
    await expect(gone.prove(request, never)).rejects.toMatchObject({ code: 'PROVER_ANSWER' })
    server?.close()
    const huge = createWebSocketProver({
      url: await serve((socket) => socket.send('x'.repeat(2000))),
      proofBytes: 1000,
    })
    await expect(huge.prove(request, never)).rejects.toMatchObject({ code: 'PROVER_ANSWER' })
  })

  it('ends with the signal', async () => {
    const stop = new AbortController()
    const url = await serve(() => stop.abort(new Error('stopping')))
    await expect(createWebSocketProver({ url }).prove(request, stop.signal)).rejects.toThrow('stopping')
  })
})

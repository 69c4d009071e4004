import { type RawData, WebSocket } from 'ws'
import { ProvingError, type ProvingFault } from '../errors.ts'
import type { ProofRequest, Prover } from '../prover.ts'

export interface WebSocketProverOptions {
  /** `ws://` or `wss://`, with the path at which proofs are made. */
  readonly url: string
  /** For connection and proof together, milliseconds. @default 600_000, a proof takes minutes */
  readonly timeoutMs?: number
  /** Bytes of a proof. @default 4 MiB */
  readonly proofBytes?: number
}

const proofTimeoutMs = 600_000
const proofBytes = 4096 * 1024

/**
 * A prover in another process, spoken to as the Risc0 servers of the earlier generation are: a connection for each proof, one
 * text message each way.
 */
export function createWebSocketProver(options: WebSocketProverOptions): Prover {
  const { url, timeoutMs = proofTimeoutMs, proofBytes: maxPayload = proofBytes } = options
  return {
    prove: (request, signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted()
        const socket = new WebSocket(url, { maxPayload, perMessageDeflate: false })
        const timer = setTimeout(() => fail({ code: 'PROVER_TIMEOUT', limitMs: timeoutMs }), timeoutMs)
        const done = () => {
          clearTimeout(timer)
          signal.removeEventListener('abort', abort)
          socket.terminate()
        }
        const fail = (fault: ProvingFault, cause?: unknown) => {
          done()
          reject(new ProvingError(fault, { cause }))
        }
        const abort = () => {
          done()
          reject(signal.reason)
        }
        let opened = false
        signal.addEventListener('abort', abort)
        socket.on('open', () => {
          opened = true
          socket.send(encode(request))
        })
        socket.on('message', (message) => {
          done()
          resolve(textOf(message))
        })
        socket.on('error', (error) => {
          const detail = error.message || (error as NodeJS.ErrnoException).code || 'no connection'
          fail({ code: opened ? 'PROVER_ANSWER' : 'PROVER_UNREACHABLE', detail }, error)
        })
        socket.on('close', (code) => fail({ code: 'PROVER_ANSWER', detail: `the prover hung up (${code})` }))
      }),
  }
}

function encode({ imageId, privateInput, publicInput, receiptType }: ProofRequest): string {
  return JSON.stringify({
    private_input: privateInput,
    public_input: publicInput,
    receipt_type: receiptType,
    image_id: imageId,
  })
}

function textOf(message: RawData): string {
  return Buffer.from(Array.isArray(message) ? Buffer.concat(message) : (message as Buffer)).toString()
}

/** Why a request to a chain's endpoint came to nothing. */
export type RpcFailure =
  /** No answer, or one that asks to come again. */
  | { type: 'unreachable'; detail: string }
  /** The chain understood and said no; `data` is what a reverting contract returned. */
  | { type: 'refused'; detail: string }

/** The part of viem's errors that is looked at; the library itself is loaded on first use only. */
interface LibraryError extends Error {
  readonly shortMessage: string
  readonly details: string
  readonly code?: number
  walk(match: (error: unknown) => boolean): Error | null
}

/** Names of viem's transport errors, and of the answers that mean "too many requests" or "not now". */
const temporary = new Set(['HttpRequestError', 'TimeoutError', 'WebSocketRequestError', 'SocketClosedError'])
const temporaryCodes = new Set([-32005, 429])

/** Reads an error of viem. Its long message is not used: it names the endpoint, whose path often is an API key. */
export function rpcFailure(error: unknown): RpcFailure {
  if (!isLibraryError(error))
    return { type: 'unreachable', detail: error instanceof Error ? error.message : `${error}` }
  const matches = (cause: unknown) =>
    cause instanceof Error &&
    (temporary.has(cause.name) || temporaryCodes.has((cause as Error & { code?: number }).code ?? 0))
  const transport = error.walk(matches)
  if (transport) return { type: 'unreachable', detail: text(transport) }
  return { type: 'refused', detail: text(error) }
}

function isLibraryError(error: unknown): error is LibraryError {
  return error instanceof Error && 'shortMessage' in error && 'walk' in error
}

function text(error: Error): string {
  if (!isLibraryError(error)) return error.message.slice(0, 300)
  const parts = [error.shortMessage, error.details].filter((part) => part)
  return [...new Set(parts)].join(' ').replaceAll(/\s+/g, ' ').slice(0, 300)
}

const utf8 = new TextEncoder()

/** What answers a request, before it is put into the form that guests decode. */
export interface ApiResponse {
  readonly status: number
  /** @default the usual one of the status */
  readonly statusText?: string
  /** Headers of the answer itself. */
  readonly header?: Readonly<Record<string, readonly string[]>>
  readonly body: Uint8Array | string
}

/** The answer to what is no request at all. */
export const notARequest = utf8.encode(
  JSON.stringify({ Status: '', StatusCode: 400, Proto: '', Header: null, Body: null }),
)

/** A JSON answer. */
export function jsonResponse(status: number, value: unknown): ApiResponse {
  return { status, header: { 'Content-Type': ['application/json; charset=utf-8'] }, body: JSON.stringify(value) }
}

/** As guests decode it: the answer's headers and those of the request but its content type; the body in base64. */
export function encodeResponse(
  { status, statusText = reasons[status] ?? '', header = {}, body }: ApiResponse,
  asked: Readonly<Record<string, readonly string[]>>,
): Uint8Array {
  const { 'Content-Type': _, ...echoed } = asked
  return utf8.encode(
    JSON.stringify({
      Status: `${status} ${statusText}`.trim(),
      StatusCode: status,
      Proto: 'HTTP/1.1',
      Header: { ...echoed, ...header },
      Body: Buffer.from(body).toString('base64'),
    }),
  )
}

/** Those that the node itself answers with. */
const reasons: Readonly<Record<number, string>> = {
  200: 'OK',
  202: 'Accepted',
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  504: 'Gateway Timeout',
}

import { W3bstreamError } from '@w3bstream/protocol'
import { ApiError, type FieldError } from '../api-error.ts'

/** Faults of the protocol itself (JSON-RPC 2.0, section 5.1). Everything else is an `ApiError`, as over HTTP. */
export type RpcFault =
  | { code: 'RPC_PARSE'; desc: string }
  | { code: 'RPC_INVALID_REQUEST'; desc: string }
  | { code: 'RPC_METHOD_NOT_FOUND'; method: string }
  | { code: 'RPC_INVALID_PARAMS'; fields: readonly FieldError[] }

export class RpcError extends W3bstreamError<RpcFault> {}

/** The error member of a response. */
export interface ErrorObject {
  readonly code: number
  readonly message: string
  readonly data?: unknown
}

/** Any thrown value as the error member; `source` as in `ApiError.toJson`. */
export function toErrorObject(error: unknown, source: string): ErrorObject {
  if (error instanceof RpcError) return protocolError(error.fault, source)
  if (error instanceof ApiError) return applicationError(error, source)
  // Unforeseen: its text is for the log, not for strangers.
  return { code: -32603, message: 'Internal error', data: new ApiError('UnknownError').toJson(source) }
}

function protocolError(fault: RpcFault, source: string): ErrorObject {
  switch (fault.code) {
    case 'RPC_PARSE':
      return { code: -32700, message: 'Parse error', data: fault.desc }
    case 'RPC_INVALID_REQUEST':
      return { code: -32600, message: 'Invalid Request', data: fault.desc }
    case 'RPC_METHOD_NOT_FOUND':
      return { code: -32601, message: 'Method not found', data: fault.method.slice(0, 80) }
    case 'RPC_INVALID_PARAMS':
      return invalidParams(fault.fields, source)
  }
}

function applicationError(error: ApiError, source: string): ErrorObject {
  const { fields, retryAfterMs } = error.fault
  if (error.code === 'badRequest') return invalidParams(fields ?? [], source, error.fault.desc)
  const json = error.toJson(source)
  const data = retryAfterMs === undefined ? json : { ...json, retryAfterMs }
  return { code: applicationCode(error.status), message: String(json.msg), data }
}

function invalidParams(fields: readonly FieldError[], source: string, desc = ''): ErrorObject {
  const data = new ApiError('badRequest', desc, { fields }).toJson(source)
  return { code: -32602, message: 'Invalid params', data }
}

/** The HTTP status folded into the range left to applications: 404 is −32004, 429 −32029, 503 −32053. */
function applicationCode(status: number): number {
  return -32000 - (status % 100) - (status >= 500 ? 50 : 0)
}

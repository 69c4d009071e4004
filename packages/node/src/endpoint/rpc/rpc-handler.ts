import type { Logger } from '../../telemetry/logger.ts'
import { ApiError } from '../api-error.ts'
import { RpcError, toErrorObject } from './errors.ts'
import { createJsonRpc, type JsonRpc, type RpcMethod } from './json-rpc.ts'
import { type CallContext, createMethods, type MethodDeps } from './methods.ts'
import type { RpcMetrics } from './metrics.ts'
import type { RpcOptions } from './options.ts'

export interface RpcHandlerDeps extends MethodDeps {
  readonly logger: Logger
  readonly metrics: RpcMetrics
}

export interface RpcHandler {
  /**
   * Answers one message, for HTTP and WebSocket alike; undefined when there is nothing to answer. Never rejects.
   */
  readonly answer: JsonRpc<CallContext>
  /** As the error member of a response or notification. */
  describe(error: unknown): unknown
  /** What calls from now on are answered with; those under way go on. */
  refuseWork(error: ApiError): void
}

/** The methods `w3b_*` behind JSON-RPC, without a transport. */
export function createRpcHandler(options: RpcOptions, deps: RpcHandlerDeps): RpcHandler {
  const { logger, metrics } = deps
  let refusal: ApiError | undefined

  const describe = (error: unknown, method?: string) => {
    if (!(error instanceof ApiError || error instanceof RpcError))
      logger.error('a call failed for a reason of ours', { method }, error)
    return toErrorObject(error, options.source)
  }

  const methods = new Map<string, RpcMethod<CallContext>>()
  for (const [name, method] of createMethods(deps)) {
    const call: typeof method.call = async (params, context) => {
      if (refusal) throw refusal
      const result = await method.call(params, context)
      metrics.calls.inc({ method: name, outcome: 'ok' })
      return result
    }
    methods.set(name, { ...method, call })
  }

  const answer = createJsonRpc(options, {
    methods,
    toErrorObject: (error, method) => {
      const known = method !== undefined && methods.has(method) ? method : 'other'
      metrics.calls.inc({
        method: known,
        outcome: error instanceof ApiError || error instanceof RpcError ? error.code : 'error',
      })
      return describe(error, known)
    },
  })

  return {
    answer,
    describe,
    refuseWork(error) {
      refusal = error
    },
  }
}

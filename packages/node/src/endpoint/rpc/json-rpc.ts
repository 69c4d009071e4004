/**
 * JSON-RPC 2.0 (https://www.jsonrpc.org/specification) between bytes and a table of methods; knows nothing of W3bstream.
 * Section numbers in comments are those of the specification.
 */
import { type ErrorObject, RpcError } from './errors.ts'

export type Params = Readonly<Record<string, unknown>>

export interface RpcMethod<Context> {
  /** Names of the parameters in the order in which an array gives them. */
  readonly positional: readonly string[]
  /** @throws RpcError RPC_INVALID_PARAMS, or what the method throws */
  call(params: Params, context: Context): unknown
}

export interface JsonRpcOptions {
  readonly messageBytes: number
  readonly batchRequests: number
}

export interface JsonRpcDeps<Context> {
  readonly methods: ReadonlyMap<string, RpcMethod<Context>>
  /** The error member for anything thrown. */
  readonly toErrorObject: (error: unknown, method: string | undefined) => ErrorObject
}

type Id = string | number | null

interface Request {
  readonly id: Id | undefined
  readonly method: string
  readonly params: readonly unknown[] | Params | undefined
}

type Response = { jsonrpc: '2.0'; id: Id; result: unknown } | { jsonrpc: '2.0'; id: Id; error: ErrorObject }

const utf8 = new TextDecoder('utf-8', { fatal: true })
const encoder = new TextEncoder()

/** Answers what bytes ask; undefined when they hold notifications only, which are never answered (4.1). */
export type JsonRpc<Context> = (bytes: Uint8Array, context: Context) => Promise<Uint8Array | undefined>

export function createJsonRpc<Context>(options: JsonRpcOptions, deps: JsonRpcDeps<Context>): JsonRpc<Context> {
  const failure = (id: Id, error: unknown, method?: string): Response => ({
    jsonrpc: '2.0',
    id,
    error: deps.toErrorObject(error, method),
  })

  /** Never rejects. */
  async function answer(value: unknown, context: Context): Promise<Response | undefined> {
    let request: Request
    try {
      request = parseRequest(value)
    } catch (error) {
      return failure(idOf(value), error)
    }
    const { id, method } = request
    try {
      const found = deps.methods.get(method)
      if (!found) throw new RpcError({ code: 'RPC_METHOD_NOT_FOUND', method })
      const result = await found.call(named(request.params, found.positional), context)
      return id === undefined ? undefined : { jsonrpc: '2.0', id, result: result ?? null }
    } catch (error) {
      const failed = failure(id ?? null, error, method)
      return id === undefined ? undefined : failed
    }
  }

  /** 6: the answers of a batch, in any order; all its requests are under way at the same time. */
  async function answerBatch(batch: unknown[], context: Context): Promise<Response | Response[] | undefined> {
    const { batchRequests } = options
    if (batch.length === 0) return failure(null, invalidRequest('the batch is empty'))
    if (batch.length > batchRequests)
      return failure(null, invalidRequest(`a batch of ${batch.length} requests, at most ${batchRequests}`))
    const responses = await Promise.all(batch.map((value) => answer(value, context)))
    const answered = responses.filter((response) => response !== undefined)
    return answered.length > 0 ? answered : undefined
  }

  return async (bytes, context) => {
    let value: unknown
    try {
      value = parseJson(bytes, options.messageBytes)
    } catch (error) {
      return encode(failure(null, error))
    }
    const response = Array.isArray(value) ? await answerBatch(value, context) : await answer(value, context)
    return response && encode(response)
  }
}

function parseJson(bytes: Uint8Array, limit: number): unknown {
  if (bytes.length > limit) throw invalidRequest(`a message of ${bytes.length} bytes, at most ${limit}`)
  try {
    return JSON.parse(utf8.decode(bytes))
  } catch (cause) {
    throw new RpcError({ code: 'RPC_PARSE', desc: 'not JSON in UTF-8' }, { cause })
  }
}

function encode(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value))
}

function invalidRequest(desc: string): RpcError {
  return new RpcError({ code: 'RPC_INVALID_REQUEST', desc })
}

/** 4: the request object. */
function parseRequest(value: unknown): Request {
  if (!isObject(value)) throw invalidRequest('a request is an object')
  const { jsonrpc, method, params, id } = value
  if (jsonrpc !== '2.0') throw invalidRequest('the member jsonrpc is not "2.0"')
  if (typeof method !== 'string') throw invalidRequest('the member method is not a string')
  if (params !== undefined && !Array.isArray(params) && !isObject(params))
    throw invalidRequest('the member params is neither an array nor an object')
  if (id !== undefined && !isId(id)) throw invalidRequest('the member id is not a string, a number or null')
  return { id, method, params }
}

function isObject(value: unknown): value is Params {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isId(value: unknown): value is Id {
  return typeof value === 'string' || typeof value === 'number' || value === null
}

/** 5: the id of a broken request when it can be made out, else null. */
function idOf(value: unknown): Id {
  return isObject(value) && isId(value.id) ? value.id : null
}

/** 4.2: parameters by position get their names. */
function named(params: Request['params'], names: readonly string[]): Params {
  if (!Array.isArray(params)) return (params as Params | undefined) ?? {}
  if (params.length > names.length)
    throw new RpcError({
      code: 'RPC_INVALID_PARAMS',
      fields: [{ field: 'params', msg: `${params.length} given, at most ${names.length}`, in: 'body' }],
    })
  return Object.fromEntries(params.map((value, i) => [names[i], value]))
}

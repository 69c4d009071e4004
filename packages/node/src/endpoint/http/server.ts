import type { Socket } from 'node:net'
import cors from '@fastify/cors'
import multipart from '@fastify/multipart'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import fastify, { type FastifyInstance } from 'fastify'
import { counter } from '../../telemetry/metrics.ts'
import { ApiError } from '../api-error.ts'
import { type HttpDeps, sourceName } from './deps.ts'
import { sendError, toAnswer } from './errors.ts'
import { registerEventRoutes } from './event-routes.ts'
import { registerFrameworkRoutes } from './framework-routes.ts'
import { decodeUtf8, goJson, textType } from './json.ts'
import { allowedMethods } from './method-table.ts'
import type { HttpOptions } from './options.ts'
import { type Route, registerRoutes } from './route.ts'
import { mountRpc } from './rpc-mount.ts'

/** How late a time-out of a request may be noticed, milliseconds. */
const timeoutCheckMs = 2000

/** A server without anything to serve yet: limits, errors, cross-origin rules, the document. */
async function createServer(
  name: string,
  deps: HttpDeps,
  options: HttpOptions,
  isStopping: () => boolean,
): Promise<FastifyInstance> {
  const { limits, tls } = options
  const connection = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersTimeoutMs,
    // Node.js looks for connections over their time this often, and every 30 s by itself.
    connectionsCheckingInterval: Math.min(limits.headersTimeoutMs, timeoutCheckMs),
  }
  const app = fastify({
    bodyLimit: limits.payloadBytes,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveMs,
    http: connection,
    ...(tls ? { https: { ...tls, ...connection } } : {}),
    routerOptions: { maxParamLength: 256 },
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    clientErrorHandler: refuseSocket,
    frameworkErrors: (error, request, reply) => {
      sendError(toAnswer(error, deps.logger), sourceName(deps.nodeInfo), request, reply)
    },
  }) as unknown as FastifyInstance
  app.server.maxConnections = limits.connections
  app.addHook('onRequest', async () => {
    if (isStopping()) throw new ApiError('NodeStopping', '', { retryAfterMs: 1000 })
  })
  countRequests(app, name, deps)
  await allowOrigins(app)
  await describe(app, name, deps)
  answerErrors(app, deps)
  return app
}

/** The management port: everything. */
export async function createManagementServer(
  deps: HttpDeps,
  options: HttpOptions,
  routes: readonly Route[],
  isStopping: () => boolean,
): Promise<FastifyInstance> {
  const app = await createServer('management', deps, options, isStopping)
  readJson(app)
  await app.register(multipart)
  await serveDocument(app)
  registerFrameworkRoutes(app, deps, options)
  registerEventRoutes(app, deps.door, options.limits)
  registerRoutes(app, routes, deps)
  if (deps.rpc) mountRpc(app, deps.rpc)
  return app
}

/** The page to browse the OpenAPI document, for GET and HEAD. */
async function serveDocument(app: FastifyInstance): Promise<void> {
  await app.register((scope, _options, done) => {
    scope.addHook('onRoute', (route) => {
      if (route.method === 'GET') route.method = ['GET', 'HEAD']
    })
    scope.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: true,
      uiHooks: {
        onRequest: (_request, reply, next) => {
          reply.headers({
            'x-content-type-options': 'nosniff',
            'x-frame-options': 'DENY',
            'referrer-policy': 'no-referrer',
            'cross-origin-opener-policy': 'same-origin',
          })
          next()
        },
      },
    })
    done()
  })
}

/** The event port: events, and what both ports answer. */
export async function createEventServer(
  deps: HttpDeps,
  options: HttpOptions,
  isStopping: () => boolean,
): Promise<FastifyInstance> {
  const app = await createServer('event', deps, options, isStopping)
  registerFrameworkRoutes(app, deps, options)
  registerEventRoutes(app, deps.door, options.limits)
  return app
}

/** JSON, whatever the client calls it: `curl -d` says it sends a form. */
function readJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => {
    if (body.length === 0) return done(null, undefined)
    try {
      void parse(request, decodeUtf8(body as Buffer), done)
    } catch {
      done(new ApiError('badRequest', '', { fields: [{ field: '', msg: 'not UTF-8', in: 'body' }] }), undefined)
    }
  })
}

/** Answers to other origins only when one asks. */
async function allowOrigins(app: FastifyInstance): Promise<void> {
  await app.register(cors, {
    origin: (origin, allow) => allow(null, origin === undefined ? false : '*'),
    credentials: true,
    methods: ['GET', 'HEAD', 'POST', 'CONNECT', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    allowedHeaders: [
      'Content-Type',
      'Authorization',
      'X-Request-Id',
      'User-Agent',
      'Idempotency-Key',
      'Last-Event-ID',
      'Prefer',
    ],
    strictPreflight: false,
  })
}

/** Collects the routes that follow into the OpenAPI document. Requests are checked by the routes themselves. */
async function describe(app: FastifyInstance, name: string, { nodeInfo }: HttpDeps): Promise<void> {
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => goJson)
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: `W3bstream node, ${name} API`, version: nodeInfo.version },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
    refResolver: { buildLocalReference: (json, _base, _fragment, i) => String(json.$id ?? `schema-${i}`) },
  })
  app.addSchema(errorSchema)
}

function answerErrors(app: FastifyInstance, deps: HttpDeps): void {
  const source = sourceName(deps.nodeInfo)
  const methods = allowedMethods(app)
  app.setErrorHandler((error, request, reply) => sendError(toAnswer(error, deps.logger), source, request, reply))
  app.setNotFoundHandler((request, reply) => {
    const allowed = methods(request.url.split('?', 1)[0]!)
    reply.header('content-type', textType)
    if (allowed.length === 0) return reply.code(404).send('404 page not found')
    return reply.code(405).header('allow', allowed.join(', ')).send('405 method not allowed')
  })
}

function countRequests(app: FastifyInstance, name: string, { metrics }: HttpDeps): void {
  const help = 'requests answered, by port and class of status'
  const known = metrics.getSingleMetric('http_requests_total') as
    | ReturnType<typeof counter<'port' | 'status'>>
    | undefined
  const requests = known ?? counter(metrics, 'http_requests_total', help, ['port', 'status'])
  const byClass = ['1xx', '2xx', '3xx', '4xx', '5xx'].map((status) => requests.labels({ port: name, status }))
  app.addHook('onResponse', (_request, reply, done) => {
    byClass[Math.floor(reply.statusCode / 100) - 1]?.inc()
    done()
  })
}

/** What could not be read as a request gets the bare status, and the connection ends. */
function refuseSocket(error: Error & { code?: string }, socket: Socket): void {
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request'
  if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  else socket.destroy()
}

const errorSchema = {
  $id: 'Error',
  type: 'object',
  description: 'Any error. The first three digits of `code` are the status; `key` is listed in docs/errors.md.',
  properties: {
    key: { type: 'string' },
    code: { type: 'integer' },
    msg: { type: 'string' },
    desc: { type: 'string' },
    canBeTalk: { type: 'boolean' },
    id: { type: 'string' },
    sources: { type: 'array', items: { type: 'string' } },
    fields: {
      type: ['array', 'null'],
      items: {
        type: 'object',
        properties: { field: { type: 'string' }, msg: { type: 'string' }, in: { type: 'string' } },
      },
    },
  },
}

import type { FastifyInstance } from 'fastify'
import { tokenOf } from './auth.ts'
import type { RpcMount } from './deps.ts'
import { jsonType } from './json.ts'

/** Puts JSON-RPC on its path: POST here, upgrades to WebSocket past the router. */
export function mountRpc(app: FastifyInstance, rpc: RpcMount): void {
  void app.register((scope, _options, ready) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    scope.post<{ Body: Buffer | undefined }>(rpc.path, {
      schema: { summary: 'JSON-RPC 2.0', tags: ['RPC'], body: { type: ['object', 'array'] } },
      bodyLimit: rpc.bodyLimit,
      handler: async (request, reply) => {
        const answer = await rpc.handleHttp(request.body ?? new Uint8Array(), tokenOf(request) || undefined)
        if (answer === undefined) return reply.code(204).send()
        return reply.header('content-type', jsonType).send(answer)
      },
    })
    ready()
  })
  app.server.on('upgrade', (request, socket, head) => {
    const path = (request.url ?? '').split('?', 1)[0]
    if (path === rpc.path) rpc.handleUpgrade(request, socket, head)
    else socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  })
}

import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ApiError } from '../api-error.ts'
import { accountOf } from './auth.ts'
import type { HttpDeps } from './deps.ts'
import { goJson, jsonType, textType } from './json.ts'
import type { HttpOptions } from './options.ts'

/** What both ports answer besides their API. */
export function registerFrameworkRoutes(app: FastifyInstance, deps: HttpDeps, options: HttpOptions): void {
  const hidden = { schema: { hide: true } }
  const version = versionText(deps)
  app.route({
    method: ['GET', 'HEAD'],
    url: '/',
    ...hidden,
    handler: async (_request, reply) => reply.code(204).send(),
  })
  app.get('/liveness', hidden, async (_request, reply) =>
    reply
      .code(deps.ready() ? 200 : 503)
      .header('content-type', jsonType)
      .send(goJson(await deps.health())),
  )
  app.get('/version', hidden, async (_request, reply) => reply.header('content-type', textType).send(version))
  app.get('/metrics', hidden, async (request, reply) => {
    if (options.metricsAccess === 'local') await needLocalOrAdmin(request, deps)
    return reply.header('content-type', deps.metrics.contentType).send(await deps.metrics.metrics())
  })
  app.get('/srv-applet-mgr', hidden, async (_request, reply) =>
    reply.header('content-type', jsonType).send(goJson(app.swagger())),
  )
}

/** `<feature>@v<version>_<timestamp>`; Studio reads the three numbers. */
function versionText({ nodeInfo: { version, builtMs } }: HttpDeps): string {
  const stamp = new Date(builtMs).toISOString().replace(/\D/g, '').slice(0, 14)
  return `w3bstream@v${version}_${stamp}`
}

/** Labels of metrics name projects and devices. A request that a proxy on this machine passed on is not local. */
async function needLocalOrAdmin(request: FastifyRequest, deps: HttpDeps): Promise<void> {
  const { 'x-forwarded-for': forwardedFor, forwarded, via } = request.headers
  const isLocal = /^(127\.|::1$|::ffff:127\.)/.test(request.socket.remoteAddress ?? '')
  if (isLocal && !forwardedFor && !forwarded && !via) return
  const account = await accountOf(request, deps)
  if (account.role !== 'ADMIN') throw new ApiError('NoAdminPermission')
}

import fastify from 'fastify'
import { Tokens } from './token.ts'

/** What a server does with an event before it answers 201. */
export type Keep = (channel: string, device: string, body: Buffer) => void | Promise<void>

/** The HTTP framework of the node with the same kind of token check, and what `keep` does with an event. */
export async function serveEvents(keep: Keep): Promise<void> {
  const tokens = new Tokens(process.env.BENCH_SECRET!)
  const app = fastify({ logger: false })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.post<{ Params: { channel: string }; Body: Buffer }>(
    '/srv-applet-mgr/v0/event/:channel',
    async (request, reply) => {
      const device = tokens.check(request.headers.authorization)
      if (device === undefined) return reply.code(401).send({ key: 'InvalidToken' })
      await keep(request.params.channel, device, request.body)
      return reply.code(201).send({ channel: request.params.channel, publisherKey: device, results: null })
    },
  )
  await app.listen({ port: 0, host: '127.0.0.1' })
  process.stdout.write(`${(app.server.address() as { port: number }).port}\n`)
}

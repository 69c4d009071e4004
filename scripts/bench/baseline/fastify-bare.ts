/** The HTTP framework alone. */
import fastify from 'fastify'

const app = fastify({ logger: false })
app.get('/liveness', () => ({}))
await app.listen({ port: Number(process.env.BENCH_PORT ?? 0), host: '127.0.0.1' })
process.stdout.write(`${(app.server.address() as { port: number }).port}\n`)

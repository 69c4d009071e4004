import { Tokens } from './baseline/token.ts'
import { type BenchContext, type Contender, compare, type Sample } from './compare.ts'
import { httpLoad } from './load/http-load.ts'
import { startPostgres } from './postgres.ts'
import { cpuSeconds } from './process-usage.ts'
import type { BenchRow } from './row.ts'
import { type Server, startServer } from './server.ts'
import { routedType, startSubject } from './subject.ts'
import { tempDirectory } from './temp.ts'

const connections = 64
/** Of one round. */
const seconds = 3
const secret = 'of the baselines'

/**
 * An event over HTTP to the applet's result: a log line and a KV write, answered after the commit. Against the same HTTP
 * framework answering a constant, and hand-written glue on SQLite and PostgreSQL.
 */
export async function benchHttpEvent(context: BenchContext): Promise<BenchRow[]> {
  await using stack = new AsyncDisposableStack()
  const subject = stack.use(await startSubject())
  const { node, device, eventUrl } = subject
  const directory = stack.use(await tempDirectory())
  const constant = stack.use(await startServer('fastify-constant', { BENCH_SECRET: secret }))
  const sqlite = stack.use(
    await startServer('fastify-sqlite', { BENCH_SECRET: secret, BENCH_DIRECTORY: directory.path }),
  )
  const baselines = [
    baseline('fastify, constant answer', constant),
    baseline('fastify + SQLite, one synced insert per request', sqlite),
  ]
  const postgres = await startPostgres()
  if (postgres) {
    stack.use(postgres)
    const glue = await startServer('fastify-postgres', { BENCH_SECRET: secret, BENCH_PG_SOCKET: postgres.socket })
    baselines.push(baseline('fastify + PostgreSQL, one row per transaction', stack.use(glue)))
  }
  const ours: Contender = {
    name: 'w3bstream',
    measure: () => measure(node.pid, { url: eventUrl(routedType), token: device.token }),
  }
  const notes = postgres ? [] : ['no PostgreSQL of Debian’s packages is installed here: its glue was not measured']
  const row = await compare({ name: 'http-event', unit: 'events/s', better: 'higher', ours, baselines, notes }, context)
  return [row]
}

function baseline(name: string, server: Server): Contender {
  const token = new Tokens(secret).make('station')
  const url = `http://127.0.0.1:${server.port}/srv-applet-mgr/v0/event/bench?eventType=${routedType}`
  return { name, measure: () => measure(server.pid, { url, token }) }
}

async function measure(pid: number, target: { url: string; token: string }): Promise<Sample> {
  const before = cpuSeconds(pid)
  const { requests, seconds: elapsed, p99us } = await httpLoad({ ...target, connections, seconds })
  const cpuMs = (cpuSeconds(pid) - before) * 1000
  return { value: requests / elapsed, details: { 'p99 ms': p99us / 1000, 'CPU s/1000': cpuMs / requests } }
}

import { type BenchContext, type Contender, compare, type Sample } from './compare.ts'
import { compileMqttLoad, type MqttLoad, type MqttLoadResult } from './load/mqtt-load.ts'
import { startMosquitto } from './mosquitto.ts'
import { cpuSeconds } from './process-usage.ts'
import type { BenchRow } from './row.ts'
import { type Server, startServer } from './server.ts'
import { routedType, startSubject, unroutedType } from './subject.ts'
import { tempDirectory } from './temp.ts'

const connections = 50
const window = 64
/** Of one round. */
const seconds = 3
const user = 'station'
const password = 'of the baselines'

type Run = (load: MqttLoad) => Promise<MqttLoadResult>

/**
 * Messages of QoS 1 to PUBACK: `mqtt-qos1` through the applet (log line and KV write), `mqtt-unrouted` of a type that no
 * strategy wants. Both are authenticated, stored, and acknowledged after the commit. Against brokers that only acknowledge.
 */
export async function benchMqtt(context: BenchContext, wanted: (row: string) => boolean): Promise<BenchRow[]> {
  await using stack = new AsyncDisposableStack()
  const directory = stack.use(await tempDirectory())
  const run = await compileMqttLoad(directory.path)
  if (!run) {
    context.progress('mqtt rows left out: there is no C compiler (cc) for the load generator')
    return []
  }
  const { node, channel, device } = stack.use(await startSubject())
  const mosquitto = await startMosquitto(user, password)
  const aedes = stack.use(await startServer('aedes', { BENCH_USER: user, BENCH_PASSWORD: password }))
  const topic = `${channel}/${routedType}`
  const baselines = mosquitto ? [broker('Mosquitto', stack.use(mosquitto), run, topic)] : []
  baselines.push(broker('aedes', aedes, run, topic))
  const rows: BenchRow[] = []
  for (const [name, eventType] of [
    ['mqtt-qos1', routedType],
    ['mqtt-unrouted', unroutedType],
  ] as const) {
    if (!wanted(name)) continue
    const target = { port: node.mqttPort, topic: `${channel}/${eventType}`, user: device.key, password: device.token }
    const ours: Contender = { name: 'w3bstream', measure: () => measure(run, node.pid, target) }
    const notes = mosquitto ? [] : ['Mosquitto is not installed here: the first baseline is aedes']
    rows.push(await compare({ name, unit: 'messages/s', better: 'higher', ours, baselines, notes }, context))
  }
  return rows
}

function broker(name: string, { pid, port }: Server, run: Run, topic: string): Contender {
  return { name, measure: () => measure(run, pid, { port, topic, user, password }) }
}

async function measure(
  run: Run,
  pid: number,
  target: Pick<MqttLoad, 'port' | 'topic' | 'user' | 'password'>,
): Promise<Sample> {
  const before = cpuSeconds(pid)
  const { sent, acked, unanswered, seconds: elapsed, p99us } = await run({ ...target, connections, window, seconds })
  if (unanswered > 0) throw new Error(`${unanswered} of ${sent} messages were never acknowledged`)
  const cpuMs = (cpuSeconds(pid) - before) * 1000
  return { value: acked / elapsed, details: { 'p99 ms': p99us / 1000, 'CPU s/1000': cpuMs / sent } }
}

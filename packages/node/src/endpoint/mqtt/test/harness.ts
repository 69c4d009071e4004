import { once } from 'node:events'
import { connect as connectSocket, type Socket } from 'node:net'
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import { generate, type Packet, parser } from 'mqtt-packet'
import { onTestFinished } from 'vitest'
import { silentLogger } from '../../../telemetry/logger.ts'
import { createMetrics } from '../../../telemetry/metrics.ts'
import { createMqttEndpoint, type MqttEndpoint } from '../mqtt-endpoint.ts'
import type { MqttOptions } from '../options.ts'
import { FakeDoor, projectA } from './fake-door.ts'

/** An endpoint on free ports before a fake door; closed after the test. */
export class Harness {
  readonly door: FakeDoor
  readonly endpoint: MqttEndpoint
  readonly metrics = createMetrics()

  constructor(options: Partial<MqttOptions>, door: FakeDoor) {
    this.door = door
    this.endpoint = createMqttEndpoint(
      { tcp: { port: 0, host: '127.0.0.1' }, ...options },
      {
        door,
        resolveProject: (_, channel) => (channel === 'demo' ? projectA : undefined),
        logger: silentLogger,
        metrics: this.metrics,
      },
    )
  }

  get port(): number {
    return this.endpoint.addresses().find(({ kind }) => kind === 'tcp')!.port
  }

  /** A client of the library `mqtt`, that does not reconnect. */
  async client(options: IClientOptions = {}, url = `mqtt://127.0.0.1:${this.port}`): Promise<MqttClient> {
    const client = await connectAsync(url, { reconnectPeriod: 0, protocolVersion: 5, ...options }, false)
    client.on('error', () => {})
    onTestFinished(() => client.endAsync(true))
    return client
  }

  /** A client that says what it is told to, wrong or right. */
  async raw(version: 3 | 4 | 5 = 4): Promise<RawClient> {
    const socket = connectSocket(this.port, '127.0.0.1')
    await once(socket, 'connect')
    onTestFinished(() => void socket.destroy())
    return new RawClient(socket, version)
  }

  /** A raw client that passed CONNECT, with a token or, when that is empty, without. */
  async device(version: 4 | 5 = 4, more: object = {}, token = 'demo-d1'): Promise<RawClient> {
    const client = await this.raw(version)
    const credentials = token === '' ? {} : { username: 'x', password: Buffer.from(token) }
    client.send({
      cmd: 'connect',
      clientId: 'c1',
      clean: true,
      keepalive: 0,
      protocolVersion: version,
      ...credentials,
      ...more,
    })
    await client.next('connack')
    return client
  }

  async value(metric: string, labels: Record<string, string> = {}): Promise<number> {
    const found = await this.metrics.getSingleMetric(metric)?.get()
    const matching = found?.values.filter((one) =>
      Object.entries(labels).every(([name, value]) => one.labels[name] === value),
    )
    return matching?.reduce((sum, { value }) => sum + value, 0) ?? 0
  }
}

export async function start(options: Partial<MqttOptions> = {}, door = new FakeDoor()): Promise<Harness> {
  const harness = new Harness(options, door)
  await harness.endpoint.start()
  onTestFinished(() => harness.endpoint.stop(AbortSignal.timeout(1000)))
  return harness
}

/** An account that may read everything of project A. */
export function reader(harness: Harness, version: 4 | 5 = 5, more: object = {}): Promise<RawClient> {
  return harness.device(version, { clientId: 'reader', username: 'demo', ...more }, 'key-of-owner')
}

/** Subscribes to one filter; returns what was granted. */
export async function subscribe(client: RawClient, topic: string, options: object = {}, properties?: object) {
  const packet = { cmd: 'subscribe', messageId: 9, subscriptions: [{ topic, qos: 0, ...options }], properties }
  client.send(packet as Packet)
  return (await client.next('suback')).granted
}

/** Publishes for project A, as the node does. */
export function send(harness: Harness, topic: string, payload = 'x', options: object = {}): Promise<void> {
  return harness.endpoint.publish(topic, Buffer.from(payload), { project: projectA, ...options })
}

/** A socket with the packet codec on it. */
export class RawClient {
  readonly socket: Socket
  readonly packets: Packet[] = []
  readonly version: 3 | 4 | 5
  closed = false
  #wake: (() => void)[] = []

  constructor(socket: Socket, version: 3 | 4 | 5) {
    this.socket = socket
    this.version = version
    const codec = parser({ protocolVersion: version })
    codec.on('packet', (packet) => this.#changed(() => this.packets.push(packet)))
    codec.on('error', () => {})
    socket.on('data', (chunk: Buffer) => codec.parse(chunk))
    socket.on('error', () => {})
    socket.on('close', () =>
      this.#changed(() => {
        this.closed = true
      }),
    )
  }

  send(packet: Packet | Uint8Array): void {
    this.socket.write(packet instanceof Uint8Array ? packet : generate(packet, { protocolVersion: this.version }))
  }

  publish(topic: string, payload: string | Buffer, more: object = {}): void {
    const messageId = (more as { qos?: number }).qos ? 1 : undefined
    this.send({ cmd: 'publish', topic, payload, qos: 0, dup: false, retain: false, messageId, ...more })
  }

  /** The next packet of a kind, which is taken off. */
  async next<C extends Packet['cmd']>(cmd: C): Promise<Extract<Packet, { cmd: C }>> {
    for (;;) {
      const at = this.packets.findIndex((packet) => packet.cmd === cmd)
      if (at >= 0) return this.packets.splice(at, 1)[0] as Extract<Packet, { cmd: C }>
      if (this.closed) throw new Error(`closed while waiting for ${cmd}`)
      await this.#change()
    }
  }

  /** Resolves when the server closed the connection. */
  async untilClosed(): Promise<void> {
    while (!this.closed) await this.#change()
  }

  /** Everything sent before has been processed. */
  async ping(): Promise<void> {
    this.send({ cmd: 'pingreq' })
    await this.next('pingresp')
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve))
  }

  #changed(apply: () => void): void {
    apply()
    for (const wake of this.#wake.splice(0)) wake()
  }
}

/** Waits until something is true. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve))
}

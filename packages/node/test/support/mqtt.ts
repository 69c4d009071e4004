import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import type { EventBody } from './management.ts'
import type { NodeProcess } from './node-process.ts'
import { until } from './until.ts'

/** A connected client of the node's broker, with what it received. */
export class TestDevice {
  readonly client: MqttClient
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>
  readonly received: { topic: string; payload: Buffer }[] = []

  private constructor(client: MqttClient) {
    this.client = client
    this.closed = new Promise((resolve) => client.once('close', resolve))
    client.on('message', (topic, payload) => this.received.push({ topic, payload }))
  }

  /** Connects once: a refused connection is an error, not tried again. */
  static async connect(node: Pick<NodeProcess, 'mqtt'>, options: IClientOptions = {}): Promise<TestDevice> {
    const client = await mqtt.connectAsync(node.mqtt, { reconnectPeriod: 0, protocolVersion: 5, ...options }, false)
    return new TestDevice(client)
  }

  /** Connects as a device of a project and listens to its own `ack`. */
  static async open(
    node: Pick<NodeProcess, 'mqtt'>,
    device: { key: string; token: string },
    options: IClientOptions = {},
  ): Promise<TestDevice> {
    const connected = await TestDevice.connect(node, { username: device.key, password: device.token, ...options })
    await connected.client.subscribeAsync(`ack/${device.key}`)
    return connected
  }

  /** The answer that stands on the `ack` topic for an event. */
  ack(eventId: string): Promise<EventBody & { key?: string }> {
    return until(`the answer to ${eventId}`, () =>
      this.received
        .filter(({ topic }) => topic.startsWith('ack/'))
        .map(({ payload }) => JSON.parse(payload.toString()) as EventBody & { key?: string })
        .find(({ eventID }) => eventID === eventId),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.endAsync(true)
  }
}

import { describe, expect, it } from 'vitest'
import { projectA, projectB } from './test/fake-door.ts'
import { start, until } from './test/harness.ts'

const text = (bytes: Uint8Array | string) => Buffer.from(bytes).toString()

describe('publish and acknowledge', () => {
  it.each([3, 4, 5] as const)(
    'takes a raw event of QoS 1 from an authenticated device, version %i',
    async (version) => {
      const { door, client } = await withClient(version)
      await client.publishAsync('demo', '{"t":1}', { qos: 1 })
      await client.publishAsync('demo/reading', 'x', { qos: 2 })
      await client.publishAsync('demo', 'y', { qos: 0 })
      await until(() => door.events.length === 3)
      expect(door.events.map(({ event }) => [event.eventType, text(event.payload), event.topic])).toEqual([
        [undefined, '{"t":1}', 'demo'],
        ['reading', 'x', 'demo/reading'],
        [undefined, 'y', 'demo'],
      ])
      expect(door.events[0]!.identity.publisherKey).toBe('d1')
    },
  )

  async function withClient(version: 3 | 4 | 5) {
    const harness = await start()
    const protocol = version === 3 ? { protocolId: 'MQIsdp' as const } : {}
    const client = await harness.client({
      protocolVersion: version,
      ...protocol,
      username: 'd1',
      password: 'demo-d1',
      clientId: 'c',
    })
    return { ...harness, door: harness.door, client }
  }

  it('acknowledges only after the commit', async () => {
    const harness = await start()
    const device = await harness.device()
    harness.door.holdCommits()
    device.publish('demo', 'x', { qos: 1, messageId: 7 })
    await device.ping()
    expect(device.packets).toEqual([])
    harness.door.commit!()
    expect(await device.next('puback')).toMatchObject({ messageId: 7 })
  })

  it('answers on ack/<publisherKey>, also when the event was refused', async () => {
    const harness = await start()
    const client = await harness.client({ password: 'demo-d1', username: 'x' })
    const answers: string[] = []
    client.on('message', (topic, payload) => answers.push(`${topic} ${text(payload)}`))
    await client.subscribeAsync('ack/d1')
    await client.publishAsync('demo', 'x', { qos: 1 })
    await client.publishAsync('demo/push/other-d1/T', 'x', { qos: 1 }).catch(() => {})
    await until(() => answers.length === 1)
    expect(answers[0]).toBe(
      'ack/d1 {"channel":"demo","publisherID":"1","publisherKey":"d1","eventID":"generated_w3b","timestamp":1,"results":null,"messageID":"00"}',
    )
  })

  it('keeps acknowledgements of equal keys in two projects apart', async () => {
    const harness = await start()
    const one = await harness.device(4, { clientId: 'same' }, 'demo-d1')
    const two = await harness.device(4, { clientId: 'same' }, 'other-d1')
    for (const device of [one, two]) {
      device.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'ack/d1', qos: 0 }] })
      expect((await device.next('suback')).granted).toEqual([0])
    }
    two.publish('other', 'x', { qos: 1 })
    expect((await two.next('publish')).topic).toBe('ack/d1')
    await one.ping()
    expect(one.packets).toEqual([])
    await harness.endpoint.publish('ack/d1', Buffer.from('hello'), { project: projectA })
    expect(text((await one.next('publish')).payload)).toBe('hello')
    await harness.endpoint.publish('ack/d1', Buffer.from('bye'), { project: projectB })
    expect(text((await two.next('publish')).payload)).toBe('bye')
  })
})

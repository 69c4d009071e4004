import fc from 'fast-check'
import { generate, type IConnectPacket, type IPublishPacket, type ISubscribePacket, parser } from 'mqtt-packet'
import { describe, expect, it } from 'vitest'
import { MqttError } from '../errors.ts'
import { FrameReader } from './frame-reader.ts'
import { readAcknowledgement, readConnect, readDisconnect, readSubscribe, readUnsubscribe } from './packets.ts'
import { readPublish, TopicMemory, writePublish } from './publish.ts'

const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((text) => !/[+#\0]/.test(text))
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))
const version = fc.constantFrom(4 as const, 5 as const)

function frame(packet: Uint8Array, limit = 1 << 20): FrameReader {
  const reader = new FrameReader()
  reader.push(Buffer.from(packet))
  expect(reader.next(limit, true)).toBe(true)
  return reader
}

function reasonOf(run: () => unknown): number | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    expect(error).toBeInstanceOf(MqttError)
    const { fault } = error as MqttError
    return fault.code === 'MQTT_PACKET' ? fault.reason : undefined
  }
}

describe('PUBLISH', () => {
  const properties = fc.record(
    {
      messageExpiryInterval: fc.nat(),
      contentType: word,
      responseTopic: word,
      correlationData: bytes,
      topicAlias: fc.integer({ min: 1, max: 65_535 }),
      userProperties: fc.dictionary(
        fc.string({ unit: 'binary-ascii', minLength: 1 }).filter((key) => /^[a-z]+$/.test(key)),
        word,
        { minKeys: 1 },
      ),
    },
    { requiredKeys: [] },
  )
  const publish = fc.record({
    cmd: fc.constant('publish' as const),
    topic: word,
    payload: bytes,
    qos: fc.constantFrom(0 as const, 1 as const, 2 as const),
    retain: fc.boolean(),
    messageId: fc.integer({ min: 1, max: 65_535 }),
    properties,
  })

  it('reads what mqtt-packet writes, to the same', () => {
    fc.assert(
      fc.property(publish, version, fc.boolean(), (packet, protocolVersion, again) => {
        const dup = again && packet.qos > 0
        const written = generate({ ...packet, dup } as IPublishPacket, { protocolVersion })
        const read = readPublish(frame(written), protocolVersion, new TopicMemory())
        expect(read).toMatchObject({ topic: packet.topic, qos: packet.qos, retain: packet.retain, dup })
        expect(read.payload.equals(packet.payload)).toBe(true)
        expect(read.packetId).toBe(packet.qos > 0 ? packet.messageId : 0)
        if (protocolVersion < 5) return
        const { messageExpiryInterval, contentType, responseTopic, topicAlias, userProperties } = packet.properties
        expect(read.properties?.messageExpiry).toBe(messageExpiryInterval)
        expect([read.properties?.contentType, read.properties?.responseTopic, read.properties?.topicAlias]).toEqual([
          contentType,
          responseTopic,
          topicAlias,
        ])
        expect(read.properties?.userProperties ?? []).toEqual(Object.entries(userProperties ?? {}))
      }),
    )
  })

  it('writes what mqtt-packet reads, to the same', () => {
    fc.assert(
      fc.property(publish, version, (packet, protocolVersion) => {
        const { messageExpiryInterval: messageExpiry, topicAlias, ...rest } = packet.properties
        const { contentType, responseTopic, correlationData, userProperties } = rest
        const ours = writePublish(
          {
            ...packet,
            dup: false,
            packetId: packet.messageId,
            properties: {
              messageExpiry,
              contentType,
              responseTopic,
              correlationData,
              topicAlias,
              userProperties: Object.entries(userProperties ?? {}),
            },
          },
          protocolVersion,
        )
        let theirs: IPublishPacket | undefined
        const codec = parser({ protocolVersion })
        codec.on('packet', (read) => {
          theirs = read as IPublishPacket
        })
        codec.parse(ours)
        expect(theirs).toMatchObject({ topic: packet.topic, qos: packet.qos, retain: packet.retain })
        expect(packet.payload.equals(theirs!.payload as Buffer)).toBe(true)
        if (protocolVersion === 5)
          expect(theirs!.properties?.responseTopic ?? '').toBe(packet.properties.responseTopic ?? '')
      }),
    )
  })

  it('remembers a topic only while it is the same', () => {
    const topics = new TopicMemory()
    for (const topic of ['a/b', 'a/b', 'a/c', 'ä/b', 'a/b'])
      expect(readPublish(frame(writePublish({ ...base, topic }, 4)), 4, topics).topic).toBe(topic)
  })
  const base = { topic: 't', payload: Buffer.from('p'), qos: 0, retain: false, dup: false, packetId: 0 } as const

  it.each([
    ['QoS 3', [0x36, 0x06, 0, 1, 0x61, 0, 1, 0x70], 0x81],
    ['DUP with QoS 0', [0x38, 0x04, 0, 1, 0x61, 0x70], 0x81],
    ['packet identifier 0', [0x32, 0x06, 0, 1, 0x61, 0, 0, 0x70], 0x82],
    ['topic longer than the packet', [0x30, 0x03, 0, 9, 0x61], 0x81],
    ['topic with U+0000', [0x30, 0x03, 0, 1, 0], 0x81],
    ['topic that is not UTF-8', [0x30, 0x04, 0, 2, 0xc3, 0x28], 0x81],
    ['topic with a surrogate', [0x30, 0x05, 0, 3, 0xed, 0xa0, 0x80], 0x81],
    ['no topic', [0x30, 0x01, 0], 0x81],
  ])('refuses %s', (_, packet, reason) => {
    expect(reasonOf(() => readPublish(frame(Uint8Array.from(packet)), 4, new TopicMemory()))).toBe(reason)
  })

  it.each([
    ['unknown property', [0x7f], 0x82],
    ['property of another packet', [17, 0, 0, 0, 1], 0x82],
    ['property twice', [1, 0, 1, 1], 0x82],
    ['payload format 2', [1, 2], 0x82],
    ['subscription identifier from a client', [11, 1], 0x82],
    ['property cut short', [2, 0, 0], 0x81],
    ['user property that is not UTF-8', [38, 0, 1, 0xff, 0, 1, 0x61], 0x81],
  ])('refuses %s', (_, block, reason) => {
    const packet = [0, 1, 0x61, block.length, ...block]
    expect(
      reasonOf(() => readPublish(frame(Uint8Array.of(0x30, packet.length, ...packet)), 5, new TopicMemory())),
    ).toBe(reason)
  })

  it('keeps a byte order mark and the order of user properties', () => {
    const written = writePublish(
      {
        ...base,
        topic: '\ufefft',
        properties: {
          userProperties: [
            ['b', '1'],
            ['a', '2'],
            ['b', '3'],
          ],
        },
      },
      5,
    )
    const read = readPublish(frame(written), 5, new TopicMemory())
    expect(read.topic).toBe('\ufefft')
    expect(read.properties?.userProperties).toEqual([
      ['b', '1'],
      ['a', '2'],
      ['b', '3'],
    ])
  })
})

describe('other packets', () => {
  it('reads CONNECT as mqtt-packet writes it', () => {
    const connect = fc.record({
      clientId: word,
      clean: fc.boolean(),
      keepalive: fc.nat({ max: 65_535 }),
      username: word,
      password: bytes,
      will: fc.option(fc.record({ topic: word, payload: bytes, qos: fc.constantFrom(0, 1, 2), retain: fc.boolean() }), {
        nil: undefined,
      }),
    })
    fc.assert(
      fc.property(connect, version, (wanted, protocolVersion) => {
        const read = readConnect(frame(generate({ cmd: 'connect', protocolVersion, ...wanted } as IConnectPacket)))
        expect(read).toMatchObject({ version: protocolVersion, clientId: wanted.clientId, clean: wanted.clean })
        expect([read.keepAlive, read.userName]).toEqual([wanted.keepalive, wanted.username])
        expect(wanted.password.equals(read.password!)).toBe(true)
        expect(read.will?.topic).toBe(wanted.will?.topic)
        expect([read.will?.qos, read.will?.retain]).toEqual([wanted.will?.qos, wanted.will?.retain])
      }),
    )
  })

  it('reads SUBSCRIBE as mqtt-packet writes it', () => {
    const request = fc.record({
      topic: word,
      qos: fc.constantFrom(0, 1, 2),
      nl: fc.boolean(),
      rap: fc.boolean(),
      rh: fc.constantFrom(0, 1, 2),
    })
    fc.assert(
      fc.property(fc.array(request, { minLength: 1, maxLength: 5 }), (subscriptions) => {
        const packet = { cmd: 'subscribe', messageId: 7, subscriptions, properties: { subscriptionIdentifier: 300 } }
        const read = readSubscribe(frame(generate(packet as ISubscribePacket, { protocolVersion: 5 })), 5)
        expect(read).toEqual({
          packetId: 7,
          subscriptionId: 300,
          requests: subscriptions.map(({ topic, qos, nl, rap, rh }) => ({
            filter: topic,
            qos,
            noLocal: nl,
            retainAsPublished: rap,
            retainHandling: rh,
          })),
        })
      }),
    )
  })

  it('refuses packets with trailing bytes, missing parts and wrong flags', () => {
    const connack = generate({ cmd: 'connect', clientId: 'c', clean: true, keepalive: 0 } as IConnectPacket)
    const longer = Buffer.concat([connack, Buffer.of(1)])
    longer[1]!++
    expect(reasonOf(() => readConnect(frame(longer)))).toBe(0x81)
    const wrong: [() => unknown, number][] = [
      [() => readSubscribe(frame(Buffer.of(0x82, 2, 0, 1)), 4), 0x82],
      [() => readSubscribe(frame(Buffer.of(0x80, 6, 0, 1, 0, 1, 0x61, 0)), 4), 0x81],
      [() => readSubscribe(frame(Buffer.of(0x82, 6, 0, 0, 0, 1, 0x61, 0)), 4), 0x82],
      [() => readSubscribe(frame(Buffer.of(0x82, 6, 0, 1, 0, 1, 0x61, 3)), 4), 0x81],
      [() => readSubscribe(frame(Buffer.of(0x82, 6, 0, 1, 0, 1, 0x61, 4)), 4), 0x81],
      [() => readSubscribe(frame(Buffer.of(0x82, 7, 0, 1, 0, 0, 1, 0x61, 0x30)), 5), 0x82],
      [() => readSubscribe(frame(Buffer.of(0x82, 7, 0, 1, 0, 0, 1, 0x61, 0xc0)), 5), 0x81],
      [() => readUnsubscribe(frame(Buffer.of(0xa2, 2, 0, 1)), 4), 0x82],
      [() => readUnsubscribe(frame(Buffer.of(0xa0, 5, 0, 1, 0, 1, 0x61)), 4), 0x81],
      [() => readAcknowledgement(frame(Buffer.of(0x60, 2, 0, 1)), 4), 0x81],
      [() => readAcknowledgement(frame(Buffer.of(0x40, 3, 0, 1, 0)), 4), 0x81],
      [() => readDisconnect(frame(Buffer.of(0xe1, 0)), 4), 0x81],
      [() => readDisconnect(frame(Buffer.of(0xe0, 1, 0)), 4), 0x81],
    ]
    wrong.forEach(([run, reason], i) => {
      expect(reasonOf(run), `${i}`).toBe(reason)
    })
  })

  it('throws nothing but violations on random bytes', () => {
    const readers = [readConnect, readSubscribe, readUnsubscribe, readAcknowledgement, readDisconnect] as const
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 0, maxLength: 60 }),
        fc.integer({ min: 0, max: 4 }),
        version,
        (body, which, v) => {
          const heads = [0x10, 0x82, 0xa2, 0x40, 0xe0]
          reasonOf(() => readers[which]!(frame(Uint8Array.of(heads[which]!, body.length, ...body)), v))
          reasonOf(() => readPublish(frame(Uint8Array.of(0x32, body.length, ...body)), v, new TopicMemory()))
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('frames', () => {
  it('come out the same however the stream is cut', () => {
    const packets = fc.array(fc.uint8Array({ maxLength: 400 }), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(packets, fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 }), (bodies, cuts) => {
        const packet = (body: Uint8Array) =>
          writePublish({ topic: '', payload: body, qos: 0, retain: false, dup: false, packetId: 0 }, 4)
        const stream = Buffer.concat(bodies.map(packet))
        const reader = new FrameReader()
        const out: Buffer[] = []
        for (let at = 0, i = 0; at < stream.length; i++) {
          const size = cuts[i % cuts.length]!
          reader.push(stream.subarray(at, at + size))
          at += size
          while (reader.next(1 << 20, true)) out.push(Buffer.from(reader.bytes.subarray(reader.start + 2, reader.end)))
        }
        expect(out.map((one) => one.toString('hex'))).toEqual(bodies.map((one) => Buffer.from(one).toString('hex')))
        expect(reader.buffered).toBe(0)
      }),
    )
  })

  it('are refused for their length before they have arrived', () => {
    const reader = new FrameReader()
    reader.push(Buffer.of(0x30, 0xff, 0xff, 0x7f))
    expect(reasonOf(() => reader.next(65_536, true))).toBe(0x95)
    const endless = new FrameReader()
    endless.push(Buffer.of(0x30, 0xff, 0xff, 0xff, 0xff, 0x01))
    expect(reasonOf(() => endless.next(65_536, false))).toBe(0x81)
  })

  it('with a padded length pass only before MQTT 5', () => {
    const padded = Buffer.of(0xc0, 0x80, 0x00)
    const old = new FrameReader()
    old.push(padded)
    expect(old.next(100, false)).toBe(true)
    const strict = new FrameReader()
    strict.push(padded)
    expect(reasonOf(() => strict.next(100, true))).toBe(0x81)
  })
})

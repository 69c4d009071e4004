import { encodeEvent } from '@w3bstream/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ApiError } from '../api-error.ts'
import { readEvents, readPushItems, readTime, readTopic } from './event-payload.ts'

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()
const read = (topic: string, payload: string | Uint8Array, authenticated = false) =>
  readEvents(readTopic(topic), Buffer.from(payload), authenticated).map((event) => ({
    ...event,
    payload: text(event.payload),
  }))

describe('topics', () => {
  it.each([
    ['prj', { channel: 'prj', form: 'channel' }],
    ['prj/T', { channel: 'prj', form: 'typed', eventType: 'T' }],
    ['prj/', { channel: 'prj', form: 'deep' }],
    ['prj/a/b', { channel: 'prj', form: 'deep' }],
    ['prj/push/tok/T', { channel: 'prj', form: 'push', token: 'tok', eventType: 'T' }],
    ['prj/push/tok/T/ts=1700000000000&id=e2', { form: 'push', timestampMs: 1_700_000_000_000, eventId: 'e2' }],
    ['prj/push/tok/T/id=e2', { form: 'push', timestampMs: undefined, eventId: 'e2' }],
    ['prj/push/tok/', { form: 'push', eventType: undefined }],
    ['prj/push', { form: 'broken-push' }],
    ['prj/push/tok', { form: 'broken-push' }],
    ['prj/push//T', { form: 'broken-push' }],
    ['prj/push/tok/T/x/y', { form: 'broken-push' }],
  ])('%s', (topic, expected) => {
    expect(readTopic(topic)).toMatchObject(expected)
  })

  it('times: milliseconds, seconds as they are, micro- and nanoseconds, and what is none', () => {
    expect(readTime('1700000000')).toBe(1_700_000_000)
    expect(readTime(1_683_868_814_000)).toBe(1_683_868_814_000)
    expect(readTime(1_683_868_814_000_123)).toBe(1_683_868_814_000)
    expect(readTime(1.683868814e18)).toBe(1_683_868_814_000)
    for (const none of ['', 'x', null, undefined, 0, -1, Number.NaN, {}]) expect(readTime(none)).toBeUndefined()
  })
})

describe('payloads', () => {
  const header = { token: 'tok', event_type: 'T', pub_id: 'x', pub_time: 5 }

  it('protobuf', () => {
    const payload = encodeEvent({ eventType: 'T', token: 'tok', pubTime: 5, eventId: 'E', payload: Buffer.from('p') })
    expect(read('prj', payload)).toEqual([{ token: 'tok', eventType: 'T', eventId: 'E', timestampMs: 5, payload: 'p' }])
  })

  it('JSON with base64 events', () => {
    const event = {
      header: { token: 'tok', event_type: 'T', timestamp: 5 },
      payload: Buffer.from('hi').toString('base64'),
    }
    expect(read('prj', JSON.stringify({ events: [event, event] }))).toEqual(
      Array(2).fill({ token: 'tok', eventType: 'T', eventId: undefined, timestampMs: 5, payload: 'hi' }),
    )
    const broken = { events: [{ ...event, payload: '***' }] }
    expect(() => read('prj', JSON.stringify(broken))).toThrow(ApiError)
  })

  it('JSON of one event, and an array of these', () => {
    const one = { header, payload: 'p' }
    const found = { token: 'tok', eventType: 'T', eventId: undefined, timestampMs: 5, payload: 'p' }
    expect(read('prj', JSON.stringify(one))).toEqual([found])
    expect(read('prj', `\n ${JSON.stringify([one, { header, payload: { a: 1 } }])}`)).toEqual([
      found,
      { ...found, payload: '{"a":1}' },
    ])
  })

  it.each(['{"t":1}', '[1,2]', '\n{"t":1}', '{"header":1}', '{"header":{}', '', '\n\v\t', '\u0012'])(
    'that have no form are the event itself: %j',
    (payload) => {
      expect(read('prj', payload, true)).toEqual([{ eventType: undefined, payload }])
      expect(read('prj', payload, false)).toEqual([{ eventType: undefined, payload }])
    },
  )

  it('with a header but no token are raw for a device that said who it is, and unwrapped otherwise', () => {
    const payload = JSON.stringify({ header: { event_type: 'T' }, payload: 'p' })
    expect(read('prj', payload, true)[0]!.payload).toBe(payload)
    expect(read('prj', payload, false)[0]).toMatchObject({ eventType: 'T', payload: 'p', token: undefined })
  })

  it('on a typed topic are never unwrapped', () => {
    const payload = JSON.stringify({ header, payload: 'p' })
    expect(read('prj/X', payload, true)).toEqual([{ eventType: 'X', payload }])
  })

  it('keep a push topic apart from what is in the payload', () => {
    const payload = Buffer.from(encodeEvent({ token: 'other', payload: Buffer.from('p') }))
    expect(readEvents(readTopic('prj/push/tok/T'), payload, false)[0]).toMatchObject({ token: 'tok', payload })
  })

  it('with too many events are refused', () => {
    const payload = JSON.stringify(Array(1001).fill({ header, payload: '' }))
    expect(() => read('prj', payload)).toThrow(ApiError)
  })

  it('of random bytes never throw anything but API errors', () => {
    const json = fc.json().map((value) => Buffer.from(value))
    const bytes = fc.uint8Array().map((value) => Buffer.from(value))
    fc.assert(
      fc.property(fc.oneof(json, bytes), fc.boolean(), (payload, authenticated) => {
        for (const run of [() => readEvents(readTopic('prj'), payload, authenticated), () => readPushItems(payload)])
          try {
            run()
          } catch (error) {
            expect(error).toBeInstanceOf(ApiError)
          }
      }),
    )
  })
})

describe('data push', () => {
  it('reads items', () => {
    const items = readPushItems(
      Buffer.from('[{"device_id":"n1","payload":"a"},{"device_id":"n2","event_type":"X","payload":"b","timestamp":7}]'),
    )
    expect(items.map((item) => ({ ...item, payload: text(item.payload) }))).toEqual([
      { deviceId: 'n1', eventType: undefined, payload: 'a', timestampMs: undefined },
      { deviceId: 'n2', eventType: 'X', payload: 'b', timestampMs: 7 },
    ])
  })

  it.each(['{}', '', 'x', '[1]', '[{"device_id":"","payload":""}]', '[{"device_id":"n"}]', '[{"payload":"x"}]'])(
    'refuses %j',
    (payload) => {
      expect(() => readPushItems(Buffer.from(payload))).toThrow(ApiError)
    },
  )
})

import { describe, expect, it } from 'vitest'
import { eventsOf, eventsOfLine } from './example-events.ts'

const shown = (events: readonly { event: string; device?: string; payload: Uint8Array }[]) =>
  events.map(({ event, device, payload }) => [event, device, Buffer.from(payload).toString()])

describe('events of a line', () => {
  it.each([
    ['{"t":1}', [['DEFAULT', undefined, '{"t":1}']]],
    ['READING {"t":1}', [['READING', undefined, '{"t":1}']]],
    ['READING', [['READING', undefined, '']]],
    ['21.5', [['DEFAULT', undefined, '21.5']]],
    ['{"event":"A","payload":"x"}', [['A', undefined, 'x']]],
    ['{"device":"d","payload":{"t":1}}', [['DEFAULT', 'd', '{"t":1}']]],
    // A payload that happens to have a member of this name.
    ['{"payload":1}', [['DEFAULT', undefined, '{"payload":1}']]],
    ['{"event":1,"payload":1}', [['DEFAULT', undefined, '{"event":1,"payload":1}']]],
    ['{"event":"A","payload":1,"more":2}', [['DEFAULT', undefined, '{"event":"A","payload":1,"more":2}']]],
  ])('%s', (line, expected) => {
    expect(shown(eventsOfLine(line))).toEqual(expected)
  })
})

describe('events of a file', () => {
  const types = new Set(['day'])
  it('is named after its type when the project has a route for it', () => {
    expect(shown(eventsOf('/p/events/day.json', Buffer.from('{"t":1}'), types))).toEqual([
      ['day', undefined, '{"t":1}'],
    ])
    expect(shown(eventsOf('/p/events/x.json', Buffer.from('[]'), types))).toEqual([['DEFAULT', undefined, '[]']])
  })

  it('keeps bytes that are no text', () => {
    expect([...eventsOf('x.bin', Uint8Array.of(0, 255), types)[0]!.payload]).toEqual([0, 255])
  })

  it('may have a list of events, of a bounded length', () => {
    const list = [
      { event: 'a', payload: 1 },
      { event: 'b', device: 'd', payload: 'x' },
    ]
    expect(shown(eventsOf('day.json', Buffer.from(JSON.stringify(list)), types))).toEqual([
      ['a', undefined, '1'],
      ['b', 'd', 'x'],
    ])
    const bomb = JSON.stringify(Array.from({ length: 10_001 }, () => list[0]))
    expect(() => eventsOf('day.json', Buffer.from(bomb), types)).toThrow(RangeError)
  })
})

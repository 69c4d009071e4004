import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ServerEvent, serverEvents } from './server-events.ts'

async function* chunked(text: string, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text)
  let at = 0
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1
    yield bytes.subarray(at, at + size)
    at += size
  }
}

async function read(text: string, sizes: readonly number[] = [1000]): Promise<ServerEvent[]> {
  const events: ServerEvent[] = []
  for await (const event of serverEvents(chunked(text, sizes))) events.push(event)
  return events
}

describe('server-sent events', () => {
  it('reads type, id and data of several lines, and passes comments over', async () => {
    expect(await read(': hello\n\nevent: log\nid: 7\ndata: a\ndata: b\n\ndata:c\n\n')).toEqual([
      { event: 'log', data: 'a\nb', id: '7' },
      { event: 'message', data: 'c', id: '7' },
    ])
  })

  it('accepts every line end and every way of cutting the stream', async () => {
    const plain = 'event: log\ndata: grüße 🌧\n\ndata: 2\n\n'
    const expected = await read(plain)
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 }),
        async (end, sizes) => {
          // One more line, since a stream's last CR may always be half of a line end.
          expect(await read(`${plain.replaceAll('\n', end)}:end${end}`, sizes)).toEqual(expected)
        },
      ),
    )
  })

  it('drops an event that was not finished', async () => {
    expect(await read('data: half')).toEqual([])
  })

  it('refuses an endless event', async () => {
    const endless = `data: ${'x'.repeat(1024 * 1024)}\n`.repeat(5)
    await expect(read(endless, [65536])).rejects.toThrow(RangeError)
  })
})

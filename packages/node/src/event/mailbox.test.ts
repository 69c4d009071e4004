import type { Message } from '@w3bstream/protocol'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { Mailbox, type Waiting } from './mailbox.ts'

function waiting(payloadBytes: number, label = 0): Waiting & { label: number } {
  const message = { payload: new Uint8Array(payloadBytes) } as Message
  return { message, resolve() {}, reject() {}, label }
}

describe('mailbox', () => {
  it('gives messages back in their order, whatever the sizes of the takes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(50), { maxLength: 3000 }),
        fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1 }),
        (sizes, takes) => {
          const mailbox = new Mailbox({ messages: 10_000, bytes: 1e9 })
          for (const [label, size] of sizes.entries()) expect(mailbox.offer(waiting(size, label))).toBe(true)
          const labels: number[] = []
          for (let i = 0; mailbox.size > 0; i++)
            for (const taken of mailbox.take({ messages: takes[i % takes.length]!, bytes: 1e9 }))
              labels.push((taken as Waiting & { label: number }).label)
          expect(labels).toEqual(sizes.map((_, i) => i))
          expect(mailbox.bytes).toBe(0)
        },
      ),
      { numRuns: 30 },
    )
  })

  it('takes nothing more when it is full, by count or by bytes', () => {
    const few = new Mailbox({ messages: 2, bytes: 1e9 })
    expect([1, 2, 3].map(() => few.offer(waiting(1)))).toEqual([true, true, false])
    const small = new Mailbox({ messages: 100, bytes: 1000 })
    expect([1, 2].map(() => small.offer(waiting(900)))).toEqual([true, false])
  })

  it('hands over at least one message, and no more bytes than asked otherwise', () => {
    const mailbox = new Mailbox({ messages: 100, bytes: 1e9 })
    for (let i = 0; i < 3; i++) mailbox.offer(waiting(1000))
    expect(mailbox.take({ messages: 10, bytes: 1 })).toHaveLength(1)
    expect(mailbox.take({ messages: 10, bytes: 3000 })).toHaveLength(2)
  })

  it('announces once that there is room again', () => {
    const mailbox = new Mailbox({ messages: 1, bytes: 1e9 })
    mailbox.offer(waiting(1))
    const [told, forgotten] = [vi.fn(), vi.fn()]
    mailbox.whenReady(told)
    mailbox.whenReady(forgotten)()
    mailbox.take({ messages: 1, bytes: 1e9 })
    mailbox.offer(waiting(1))
    mailbox.take({ messages: 1, bytes: 1e9 })
    expect(told).toHaveBeenCalledTimes(1)
    expect(forgotten).not.toHaveBeenCalled()
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DueQueue } from './due-queue.ts'

const operation = fc.oneof(
  fc.record({ op: fc.constant('set'), key: fc.nat(9), atMs: fc.nat(50) }),
  fc.record({ op: fc.constant('delete'), key: fc.nat(9), atMs: fc.constant(0) }),
  fc.record({ op: fc.constant('take'), key: fc.constant(0), atMs: fc.nat(60) }),
)

describe('the queue of due times', () => {
  it('gives the keys that are due, earliest first, whatever was moved and removed', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
        const queue = new DueQueue()
        const model = new Map<string, number>()
        for (const { op, key, atMs } of operations) {
          const name = `k${key}`
          if (op === 'set') {
            queue.set(name, atMs)
            model.set(name, atMs)
          } else if (op === 'delete') {
            queue.delete(name)
            model.delete(name)
          } else {
            const earliest = Math.min(...model.values())
            const taken = queue.take(atMs)
            if (earliest > atMs) expect(taken).toBeUndefined()
            else {
              expect(taken?.atMs).toBe(earliest)
              expect(model.get(taken!.key)).toBe(earliest)
              model.delete(taken!.key)
            }
          }
          expect(queue.size).toBe(model.size)
          expect(queue.nextMs()).toBe(model.size === 0 ? undefined : Math.min(...model.values()))
        }
      }),
    )
  })
})

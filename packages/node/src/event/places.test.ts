import { describe, expect, it } from 'vitest'
import { Places } from './places.ts'

interface Guest {
  readonly name: string
  busy: boolean
  usedMs: number
}

const guest = (name: string, busy: boolean, usedMs = 0): Guest => ({ name, busy, usedMs })

describe('places', () => {
  it('asks the one unused longest to leave, and no busy one while another is idle', async () => {
    const asked: string[] = []
    const places = new Places<Guest>(3, ({ name }) => asked.push(name))
    const [a, b, c] = [guest('a', true, 1), guest('b', false, 3), guest('c', false, 2)]
    for (const one of [a, b, c]) await places.take(one)
    let entered = false
    const d = places.take(guest('d', true)).then(() => {
      entered = true
    })
    expect(asked).toEqual(['c'])
    await Promise.resolve()
    expect(entered).toBe(false)
    places.free(c)
    await d
    expect(places.taken).toBe(3)
  })

  it('takes turns when all are busy: who came first leaves first', async () => {
    const order: string[] = []
    const places = new Places<Guest>(2, (one) => {
      // It comes back behind those who wait.
      queueMicrotask(() => {
        places.free(one)
        if (order.length < 12) void enter(one)
      })
    })
    const enter = async (one: Guest) => {
      await places.take(one)
      order.push(one.name)
    }
    for (const name of ['a', 'b', 'c', 'd']) void enter(guest(name, true))
    await new Promise<void>((resolve) => setImmediate(resolve))
    expect(order.slice(0, 12)).toEqual([...'abcdabcdabcd'])
  })

  it('lets nobody in by a place that was free already', async () => {
    const places = new Places<Guest>(1, () => {})
    const [a, b, c] = [guest('a', true), guest('b', true), guest('c', true)]
    await places.take(a)
    const waiting = [places.take(b), places.take(c)]
    places.free(a)
    places.free(a)
    await waiting[0]
    expect(places.taken).toBe(1)
  })
})

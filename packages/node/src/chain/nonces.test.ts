import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ControlDatabase, openControl } from '../database/control/control.ts'
import { silentLogger } from '../telemetry/logger.ts'
import { type ChainAccount, NonceAllocator } from './nonces.ts'

const account: ChainAccount = { chainId: 31337n, address: '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266' }

/** A process that signs, and what outlives it: its database, its outbox and the chain. */
class World {
  readonly control: ControlDatabase = openControl(':memory:')
  /** Nonces of committed transactions that are not final. */
  readonly outbox = new Set<number>()
  readonly mined = new Set<number>()
  taken: number[] = []
  allocator = this.#start()

  #start(): NonceAllocator {
    const allocator = new NonceAllocator(this.control, silentLogger)
    allocator.commit([...this.outbox].map((nonce) => ({ account, nonce })))
    allocator.recovered()
    return allocator
  }

  get count(): number {
    let count = 0
    while (this.mined.has(count)) count++
    return count
  }

  async sign(): Promise<void> {
    await this.allocator.prepare(account, async () => this.count)
    const nonce = this.allocator.take(account)
    expect(this.outbox.has(nonce) || this.mined.has(nonce) || this.taken.includes(nonce)).toBe(false)
    this.taken.push(nonce)
  }

  /** @param at which of the handlers that are running */
  rollBack(at: number): void {
    const [nonce] = this.taken.splice(at % this.taken.length, 1)
    if (nonce !== undefined) this.allocator.release(account, nonce)
  }

  commit(at: number): void {
    const [nonce] = this.taken.splice(at % this.taken.length, 1)
    if (nonce === undefined) return
    this.outbox.add(nonce)
    this.allocator.commit([{ account, nonce }])
  }

  mine(): void {
    const nonce = this.count
    if (!this.outbox.delete(nonce)) return
    this.mined.add(nonce)
    this.allocator.settle(account, nonce)
  }

  crash(): void {
    this.taken = []
    this.allocator = this.#start()
  }
}

const step = fc.oneof(
  fc.record({ do: fc.constant('sign' as const) }),
  fc.record({ do: fc.constantFrom('rollBack' as const, 'commit' as const), at: fc.nat(7) }),
  fc.record({ do: fc.constantFrom('mine' as const, 'crash' as const) }),
)

describe('nonces', () => {
  it('are never used twice and never skipped, whatever fails and whenever the process ends', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const world = new World()
        for (const next of steps) {
          if (next.do === 'sign') await world.sign()
          else if (next.do === 'rollBack' || next.do === 'commit') world[next.do](next.at)
          else world[next.do]()
        }
        // In the end everything is committed that runs, then as many are signed as it takes to close all holes.
        while (world.taken.length > 0) world.commit(0)
        const highest = Math.max(-1, ...world.outbox, ...world.mined)
        while (world.outbox.size + world.mined.size <= highest) {
          await world.sign()
          world.commit(0)
        }
        expect(Math.max(-1, ...world.outbox)).toBeLessThanOrEqual(highest)
        while (world.outbox.size > 0) world.mine()
        expect(world.count).toBe(highest + 1)
        world.control.close()
      }),
      { numRuns: 300 },
    )
  })

  const open = (control: ControlDatabase) => {
    const allocator = new NonceAllocator(control, silentLogger)
    allocator.recovered()
    return allocator
  }

  it('ask the chain once for many callers, and go on from what it says when that is ahead', async () => {
    const allocator = open(openControl(':memory:'))
    let asked = 0
    const chain = async () => {
      asked++
      return 12
    }
    await Promise.all([1, 2, 3].map(() => allocator.prepare(account, chain)))
    expect([allocator.take(account), allocator.take(account), asked]).toEqual([12, 13, 1])
  })

  it('ask again after the chain could not answer', async () => {
    const allocator = open(openControl(':memory:'))
    await expect(allocator.prepare(account, () => Promise.reject(new Error('away')))).rejects.toThrow('away')
    await allocator.prepare(account, async () => 3)
    expect(allocator.take(account)).toBe(3)
  })

  it('begin anew with a chain that began anew', async () => {
    const control = openControl(':memory:')
    const first = open(control)
    await first.prepare(account, async () => 40)
    const nonce = first.take(account)
    first.commit([{ account, nonce }])
    first.settle(account, nonce)
    const second = open(control)
    await second.prepare(account, async () => 0)
    expect(second.take(account)).toBe(0)
  })

  it('take nothing for free before the outboxes were read', async () => {
    const control = openControl(':memory:')
    const first = open(control)
    await first.prepare(account, async () => 0)
    expect([first.take(account), first.take(account)]).toEqual([0, 1])
    const second = new NonceAllocator(control, silentLogger)
    await second.prepare(account, async () => 0)
    expect(second.take(account)).toBe(2)
    second.commit([{ account, nonce: 1 }])
    second.recovered()
    await second.prepare(account, async () => 0)
    expect([second.take(account), second.take(account)]).toEqual([0, 3])
  })

  it('stay as they are when something is released that was not taken', async () => {
    const allocator = open(openControl(':memory:'))
    await allocator.prepare(account, async () => 0)
    const nonce = allocator.take(account)
    allocator.commit([{ account, nonce }])
    allocator.release(account, nonce)
    allocator.release(account, 99)
    expect(allocator.take(account)).toBe(1)
    allocator.release(account, 1)
    allocator.release(account, 1)
    expect([allocator.take(account), allocator.take(account)]).toEqual([1, 2])
  })

  it('give a certain one only when nobody holds it', async () => {
    const allocator = open(openControl(':memory:'))
    await allocator.prepare(account, async () => 0)
    const [a, b] = [allocator.take(account), allocator.take(account)]
    allocator.commit([{ account, nonce: b }])
    expect(allocator.takeExactly(account, a)).toBe(false)
    expect(allocator.takeExactly(account, b)).toBe(false)
    allocator.release(account, a)
    expect(allocator.takeExactly(account, a)).toBe(true)
    expect(allocator.take(account)).toBe(2)
  })

  it('are kept apart by chain and address', async () => {
    const allocator = open(openControl(':memory:'))
    const others: ChainAccount[] = [
      { ...account, chainId: 1n },
      { ...account, address: '0x70997970c51812dc3a010c7d01b50e0d17dc79c8' },
    ]
    for (const each of [account, ...others]) {
      await allocator.prepare(each, async () => 5)
      expect(allocator.take(each)).toBe(5)
    }
  })
})

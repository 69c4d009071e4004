import type { ProjectKey } from '@w3bstream/protocol'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { OutboxRange, OutboxRow } from '../../database/database.ts'
import { silentLogger } from '../../telemetry/logger.ts'
import { Lane, type LaneOptions } from './lane.ts'

const a = '0x0a' as ProjectKey
const b = '0x0b' as ProjectKey

function row(height: number, index = 0, bytes = 1): OutboxRow {
  const id = new Uint8Array(32).fill(height)
  const fixed = { kind: 'mqtt', local: '', state: 'INIT', attempts: 0, detail: '', updatedMs: 0 } as const
  return { height: BigInt(height), index, messageIndex: 0, id, body: new Uint8Array(bytes), ...fixed }
}

const roomy: LaneOptions = { held: 100, heldPerProject: 100, heldBytes: 1000, running: 100, runningPerProject: 100 }

/** A lane over outboxes in memory whose effects end when they are told to. */
class Yard {
  readonly begun: string[] = []
  readonly outboxes = new Map<ProjectKey, OutboxRow[]>()
  readonly ends = new Map<string, (restMs?: number) => void>()
  readonly aborted: string[] = []
  failReads = 0
  readonly lane: Lane

  constructor(options: Partial<LaneOptions> = {}) {
    this.lane = new Lane(
      { ...roomy, ...options },
      {
        takes: ({ kind }) => kind === 'mqtt',
        run: (project, { height, index }, signal) => {
          const name = `${project.slice(-1)}${height}.${index}`
          this.begun.push(name)
          signal.addEventListener('abort', () => this.aborted.push(name))
          return new Promise((resolve) => this.ends.set(name, resolve))
        },
        pending: async (project, range) => this.pending(project, range),
        logger: silentLogger,
      },
    )
    this.lane.open()
  }

  /** Commits effects. */
  commit(project: ProjectKey, ...rows: OutboxRow[]): void {
    this.outboxes.set(project, [...(this.outboxes.get(project) ?? []), ...rows])
    this.lane.add(project, rows)
  }

  async end(name: string, restMs?: number): Promise<void> {
    const [height, index] = name.slice(1).split('.').map(Number)
    const project = name[0] === 'a' ? a : b
    if (restMs === undefined) {
      const rows = this.outboxes.get(project) ?? []
      this.outboxes.set(
        project,
        rows.filter((one) => one.height !== BigInt(height!) || one.index !== index),
      )
    }
    const end = this.ends.get(name)!
    this.ends.delete(name)
    end(restMs)
    await vi.waitFor(() => {})
    await new Promise((resolve) => setImmediate(resolve))
  }

  pending(project: ProjectKey, { from, limit }: OutboxRange): OutboxRow[] {
    if (this.failReads-- > 0) throw new Error('unreadable')
    const { height, index } = from!
    const rows = this.outboxes.get(project) ?? []
    return rows.filter((one) => one.height > height || (one.height === height && one.index >= index)).slice(0, limit)
  }
}

describe('lane', () => {
  afterEach(() => vi.useRealTimers())

  it('begins in order, projects in turn, so many at once', () => {
    const yard = new Yard({ running: 3, runningPerProject: 2 })
    yard.commit(a, row(1, 0), row(1, 1), row(2))
    yard.commit(b, row(1), row(2))
    expect(yard.begun).toEqual(['a1.0', 'a1.1', 'b1.0'])
  })

  it('begins nothing before it is opened or after it is closed', async () => {
    const yard = new Yard()
    yard.lane.close()
    yard.commit(a, row(1))
    expect(yard.begun).toEqual([])
  })

  it('leaves what does not fit in the outbox, and takes it from there in order', async () => {
    const yard = new Yard({ held: 4, heldPerProject: 2, runningPerProject: 1 })
    for (let height = 1; height <= 40; height++) yard.commit(a, row(height), { ...row(height, 1), kind: 'transaction' })
    expect(yard.lane.size).toBe(2)
    for (let height = 1; height <= 40; height++) await yard.end(`a${height}.0`)
    expect(yard.begun).toEqual(Array.from({ length: 40 }, (_, i) => `a${i + 1}.0`))
    expect(yard.lane.size).toBe(0)
  })

  it('keeps one project from taking all the room, and large bodies from taking all the memory', () => {
    const yard = new Yard({ held: 4, heldPerProject: 2, heldBytes: 10 })
    yard.commit(a, row(1, 0, 20), row(2), row(3))
    expect(yard.lane.size).toBe(1)
    yard.commit(b, row(1))
    expect(yard.begun).toEqual(['a1.0'])
  })

  it('leaves room to others, of places and of memory, however many projects take all they can', () => {
    const project = (n: number) => `0x${n.toString(16)}` as ProjectKey
    const rows = (bytes: number) => Array.from({ length: 100 }, (_, i) => row(i + 1, 0, bytes))
    const places = new Yard({ held: 100, heldPerProject: 25, heldBytes: 10_000, running: 1000 })
    const memory = new Yard({ held: 1000, heldBytes: 1000, running: 1000 })
    for (let n = 16; n < 32; n++) {
      places.commit(project(n), ...rows(1))
      memory.commit(project(n), ...rows(20))
    }
    for (const yard of [places, memory]) {
      yard.commit(b, row(1, 0, 20))
      expect(yard.begun).toContain('b1.0')
    }
  })

  it('asks an outbox once for a body that finds no room, until something has ended', async () => {
    const yard = new Yard({ heldBytes: 10 })
    const reads = vi.spyOn(yard, 'pending')
    yard.commit(a, row(1, 0, 8), row(2, 0, 8))
    await new Promise((resolve) => setImmediate(resolve))
    expect(reads).toHaveBeenCalledTimes(1)
    await yard.end('a1.0')
    expect(yard.begun).toEqual(['a1.0', 'a2.0'])
  })

  it('tries again after the rest it is told, before what came later', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const yard = new Yard({ runningPerProject: 1 })
    yard.commit(a, row(1), row(2))
    yard.ends.get('a1.0')!(1000)
    await vi.advanceTimersByTimeAsync(999)
    expect(yard.begun).toEqual(['a1.0', 'a2.0'])
    await vi.advanceTimersByTimeAsync(1)
    yard.ends.get('a2.0')!(undefined)
    await vi.advanceTimersByTimeAsync(0)
    expect(yard.begun).toEqual(['a1.0', 'a2.0', 'a1.0'])
  })

  it('asks again when an outbox could not be read', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const yard = new Yard({ held: 1, heldPerProject: 1 })
    yard.failReads = 1
    yard.commit(a, row(1), row(2))
    yard.ends.get('a1.0')!(undefined)
    await vi.advanceTimersByTimeAsync(10)
    expect(yard.begun).toEqual(['a1.0'])
    yard.outboxes.set(a, [row(2)])
    await vi.advanceTimersByTimeAsync(10_000)
    expect(yard.begun).toEqual(['a1.0', 'a2.0'])
  })

  it('forgets a project, and ends what is under way', async () => {
    const yard = new Yard({ runningPerProject: 1 })
    yard.commit(a, row(1), row(2))
    yard.commit(b, row(1))
    yard.lane.forget(a)
    expect(yard.aborted).toEqual(['a1.0'])
    await yard.end('b1.0')
    await yard.end('a1.0')
    expect([yard.begun, yard.lane.size]).toEqual([['a1.0', 'b1.0'], 0])
  })

  it('carries out each effect once and in order, whatever fits when', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 60 }),
        async (held, running, steps) => {
          const yard = new Yard({ held, heldPerProject: held, running, runningPerProject: running })
          let height = 0
          for (const commits of steps) {
            const [next] = yard.ends.keys()
            if (commits || next === undefined) yard.commit(a, row(++height))
            else await yard.end(next)
          }
          for (let [next] = yard.ends.keys(); next !== undefined; [next] = yard.ends.keys()) await yard.end(next)
          expect(yard.begun).toEqual(Array.from({ length: height }, (_, i) => `a${i + 1}.0`))
        },
      ),
      { numRuns: 60 },
    )
  })
})

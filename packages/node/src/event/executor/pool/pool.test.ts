import { afterEach, describe, expect, it, vi } from 'vitest'
import { World } from '../../testing/world.ts'

let world: World
afterEach(() => world.close())

describe('pool of executor threads', () => {
  it('stops a handler that does not end, and loses nothing of those around it', async () => {
    world = await World.open({ pool: {} })
    const [bad, good] = [await world.project(), await world.project()]
    await bad.deploy({ loop: { SPIN: 'spin', CALL: 'spin_calling', PASS: 'pass' } })
    await good.deploy({ rust_kv_sql: { DEFAULT: 'count_words' } })
    const spins = ['PASS', 'SPIN', 'PASS', 'CALL', 'PASS'].map((eventType) => bad.event('', { eventType }))
    const counts = Array.from({ length: 20 }, () => good.event('x'))
    const receipts = await Promise.all(spins)
    expect(receipts.map((r) => [r.status, r.results[0]!.error])).toEqual([
      ['ok', ''],
      ['failed', 'WALL_CLOCK'],
      ['ok', ''],
      ['failed', expect.stringMatching(/WALL_CLOCK|HOST_CALL_LIMIT/)],
      ['ok', ''],
    ])
    for (const receipt of await Promise.all(counts)) expect(receipt.status).toBe('ok')
    expect((await good.logs()).at(-1)).toBe('x=20')
  })

  it('moves a project out of the way of others, long before its handler is stopped', async () => {
    world = await World.open({ pool: { wallClockMs: () => 3000, patienceMs: 50 } })
    const [bad, good] = [await world.project(), await world.project()]
    await bad.deploy({ loop: { SPIN: 'spin', PASS: 'pass' } })
    await bad.change({ op: 'settings.put', settings: { limits: { fuel: 1_000_000_000_000 } } })
    await good.deploy({ rust_kv_sql: { DEFAULT: 'count_words' } })
    let stopped = false
    const spin = bad.event('', { eventType: 'SPIN' }).finally(() => {
      stopped = true
    })
    const pass = bad.event('', { eventType: 'PASS' })
    for (let n = 1; n <= 3; n++) expect((await good.event('x')).status).toBe('ok')
    expect(stopped).toBe(false)
    expect((await good.logs()).at(-1)).toBe('x=3')
    expect((await spin).results[0]!.error).toBe('WALL_CLOCK')
    expect((await pass).status).toBe('ok')
    expect((await bad.event('', { eventType: 'PASS' })).status).toBe('ok')
  })

  it('gives nonces back that were signed for a batch whose thread ended', async () => {
    const release = vi.fn()
    let nonce = 0
    const hex = (digit: string, bytes: number) => `0x${digit.repeat(2 * bytes)}` as const
    const sign = () =>
      Promise.resolve({
        chainId: 1n,
        chainName: 'c',
        hash: `0x${String(++nonce).padStart(64, '0')}` as const,
        raw: hex('0', 1),
        nonce,
        from: hex('1', 20),
        to: hex('2', 20),
        value: 0n,
        data: '0x' as const,
        operator: 'default',
        operatorId: '1',
      })
    world = await World.open({ pool: {}, services: { sign, release } })
    const project = await world.project()
    await project.deploy({ rust_tx: { SEND: 'send' }, loop: { SPIN: 'spin' } })
    const send = () => project.event(`1 0x${'22'.repeat(20)} 0 0x`, { eventType: 'SEND' })
    const [sent, spun] = await Promise.all([send(), project.event('', { eventType: 'SPIN' })])
    expect([sent.status, spun.status]).toEqual(['ok', 'failed'])
    expect(release.mock.calls.map(([transaction]) => transaction.nonce)).toEqual([1])
    const reader = await world.database.openReader(project.key)
    const { data } = await reader.outbox({ size: -1 })
    await reader.close()
    expect(data.map((row) => JSON.parse(row.local).nonce)).toEqual([2])
  })

  it('survives memory bombs, endless recursion and floods of log lines', async () => {
    world = await World.open({ pool: { wallClockMs: () => 5000 } })
    const project = await world.project()
    await project.deploy({
      bomb: { GROW: 'grow' },
      recurse: { DEEP: 'recurse', REENTER: 'reenter' },
      logflood: { FLOOD: 'many' },
    })
    const outcome = async (eventType: string) => (await project.event('', { eventType })).results[0]!
    expect((await outcome('GROW')).error).toMatch(/MEMORY_LIMIT|TRAP/)
    expect((await outcome('DEEP')).error).toMatch(/STACK_LIMIT|TRAP/)
    expect((await outcome('FLOOD')).error).toBe('')
    expect((await project.logs()).filter((line) => line.startsWith('line '))).toHaveLength(1000)
  })

  it('replaces a thread whose memory is used up, and blames only the project that used it', async () => {
    world = await World.open({ pool: { threadHeapMiB: 48, wallClockMs: () => 60_000 } })
    const [bad, good] = [await world.project(), await world.project()]
    await bad.deploy({ logflood: { FLOOD: 'many' } })
    await bad.change({ op: 'settings.put', settings: { limits: { logLines: 100_000 } } })
    await good.deploy({ rust_kv_sql: { DEFAULT: 'count_words' } })
    const floods = Array.from({ length: 5 }, () => bad.event('', { eventType: 'FLOOD' }))
    const counts = Array.from({ length: 20 }, () => good.event('x'))
    const receipts = await Promise.all(floods)
    expect(receipts.map(({ status }) => status)).toEqual(Array(5).fill('ok'))
    // Together they were too much for a thread; each had a batch of its own then.
    expect(new Set(receipts.map(({ height }) => height)).size).toBe(5)
    for (const receipt of await Promise.all(counts)) expect(receipt.status).toBe('ok')
    expect((await good.logs()).at(-1)).toBe('x=20')
  })

  it('refuses batches that do not follow what is on disk, and goes on', async () => {
    world = await World.open({ pool: {} })
    const project = await world.project()
    await project.deploy({ rust_log: { DEFAULT: 'start' } })
    const batch = {
      project: project.key,
      header: new Uint8Array(10),
      ids: new Uint8Array(0),
      messages: new Uint8Array(0),
      ends: new Uint32Array(0),
    }
    await expect(world.executor.execute(batch)).rejects.toThrow()
    expect((await project.event('x')).status).toBe('ok')
  })

  it('says so when it was stopped or the project is not open', async () => {
    world = await World.open({ pool: {} })
    const batch = {
      project: `0x${'00'.repeat(32)}` as const,
      header: new Uint8Array(0),
      ids: new Uint8Array(0),
      messages: new Uint8Array(0),
      ends: new Uint32Array(0),
    }
    await expect(world.executor.execute(batch)).rejects.toMatchObject({ code: 'PROJECT_NOT_OPEN' })
    await world.executor.stop()
    await expect(world.executor.open(batch.project)).rejects.toMatchObject({ code: 'EXECUTOR_STOPPED' })
  })
})

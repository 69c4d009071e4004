import type { ProjectKey } from '@w3bstream/protocol'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { until } from '../../../test/support/until.ts'
import { type ControlDatabase, openControl } from '../../database/control/control.ts'
import type { ProjectReader } from '../../database/database.ts'
import { silentLogger } from '../../telemetry/logger.ts'
import { TimerService, type TimerServiceDeps } from './timer-service.ts'
import { TimerTable } from './timer-table.ts'
import type { Timer, TimerSource } from './timers.ts'

const options = { sleepMs: 2, parallel: 4, parallelPerProject: 2, flushMs: 5 }
const projectOf = (n: number): ProjectKey => `0x${n.toString(16).padStart(64, '0')}`
const noReader = () => Promise.reject<ProjectReader>(new Error('no store is to be opened'))

/** A control file with projects that have nothing but a name. */
function controlWith(projects: number): ControlDatabase {
  const control = openControl(':memory:')
  control.exec("INSERT INTO account VALUES ('1', 'ADMIN', 'ENABLED', 'INIT', 0, 0)")
  const insert = control.prepare("INSERT INTO project VALUES (?, ?, '1', ?, 'active', 0, 0)")
  control.exec('BEGIN')
  for (let n = 0; n < projects; n++) insert.run(projectOf(n), `${n}`, `p${n}`)
  control.exec('COMMIT')
  return control
}

class Source implements TimerSource {
  readonly kind = 'test'
  readonly fired: Timer[] = []
  due: (timer: Timer) => Promise<void> = async (timer) => void this.fired.push(timer)
  pending = vi.fn((): { id: string; atMs: number }[] => [])
}

let open: TimerService[] = []
afterEach(async () => {
  for (const service of open) await service.stop()
  open = []
})

async function start(control: ControlDatabase, source: Source, over: Partial<TimerServiceDeps> = {}) {
  const service = new TimerService(options, {
    table: new TimerTable(control),
    worked: () => [],
    reader: noReader,
    exists: () => true,
    now: () => Date.now(),
    logger: silentLogger,
    ...over,
  })
  service.add(source)
  open.push(service)
  await service.start()
  service.open()
  return service
}

describe('timers', () => {
  it('wake their source when they are due by the clock, the earliest first', async () => {
    let nowMs = 1000
    let looks = 0
    const now = () => {
      looks++
      return nowMs
    }
    const source = new Source()
    const service = await start(controlWith(1), source, { now })
    for (const atMs of [5000, 3000, 4000]) service.set({ project: projectOf(0), kind: 'test', id: `t${atMs}`, atMs })
    nowMs = 4000
    await until('two timers', () => source.fired.length === 2)
    nowMs = 4999
    looks = 0
    await until('the clock was looked at', () => looks > 2)
    expect(source.fired.map(({ id }) => id)).toEqual(['t3000', 't4000'])
    nowMs = 5000
    await until('the third', () => source.fired.length === 3)
  })

  it('survive a restart, and are gone when they have fired', async () => {
    let nowMs = 1000
    const control = controlWith(1)
    const [first, second] = [new Source(), new Source()]
    const service = await start(control, first, { now: () => nowMs })
    service.set({ project: projectOf(0), kind: 'test', id: 'a/b', atMs: 2000 })
    service.set({ project: projectOf(0), kind: 'test', id: 'moved', atMs: 2000 })
    service.set({ project: projectOf(0), kind: 'test', id: 'moved', atMs: 9000 })
    service.set({ project: projectOf(0), kind: 'test', id: 'cleared', atMs: 2000 })
    service.clear({ project: projectOf(0), kind: 'test', id: 'cleared' })
    await service.stop()
    nowMs = 3000
    const again = await start(control, second, { now: () => nowMs })
    await until('the timer of the last run', () => second.fired.length === 1)
    expect(second.fired[0]).toEqual({ project: projectOf(0), kind: 'test', id: 'a/b', atMs: 2000 })
    await again.stop()
    expect(new TimerTable(control).all().map(({ id }) => id)).toEqual(['moved'])
  })

  it('are found in the state of projects that worked when the table is behind after a crash', async () => {
    const source = new Source()
    source.pending.mockReturnValue([{ id: 'lost', atMs: 0 }])
    const reader = () => Promise.resolve({} as ProjectReader)
    await start(controlWith(2), source, { worked: () => [projectOf(1)], reader })
    await until('the timer that was not written', () => source.fired.length === 1)
    expect(source.fired[0]).toMatchObject({ project: projectOf(1), id: 'lost' })
  })

  it('come again when their source fails, and a project that cannot be read keeps nobody else', async () => {
    const source = new Source()
    let failures = 0
    source.due = async (timer) => {
      if (timer.id === 'poor' && failures++ < 1) throw new Error('busy')
      source.fired.push(timer)
    }
    const service = await start(controlWith(2), source, { worked: () => [projectOf(1)] })
    service.set({ project: projectOf(0), kind: 'test', id: 'poor', atMs: 0 })
    service.set({ project: projectOf(0), kind: 'test', id: 'good', atMs: 0 })
    await until('both', () => source.fired.length === 2)
    expect(source.fired.map(({ id }) => id)).toEqual(['good', 'poor'])
  })

  it('of a project whose work takes long keep nobody else, and come when there is a place', async () => {
    const source = new Source()
    const release = Promise.withResolvers<void>()
    let running = 0
    let most = 0
    source.due = async (timer) => {
      most = Math.max(most, timer.project === projectOf(0) ? ++running : 0)
      if (timer.project === projectOf(0)) await release.promise.finally(() => running--)
      source.fired.push(timer)
    }
    const service = await start(controlWith(2), source)
    for (let i = 0; i < 10; i++) service.set({ project: projectOf(0), kind: 'test', id: `${i}`, atMs: i })
    service.set({ project: projectOf(1), kind: 'test', id: 'other', atMs: 20 })
    await until('the other project', () => source.fired.length === 1)
    expect(source.fired[0]).toMatchObject({ id: 'other' })
    service.clear({ project: projectOf(0), kind: 'test', id: '5' })
    service.set({ project: projectOf(0), kind: 'test', id: '6', atMs: Number.MAX_SAFE_INTEGER })
    release.resolve()
    await until('the rest', () => source.fired.length === 9)
    expect(source.fired.map(({ id }) => id)).toEqual(['other', '0', '1', '2', '3', '4', '7', '8', '9'])
    expect(most).toBe(2)
  })

  it('that could not be written are written with the next ones; until then the table is known to be behind', async () => {
    const control = controlWith(2)
    const table = new TimerTable(control)
    const write = vi.spyOn(table, 'write').mockImplementationOnce(() => {
      throw new Error('disk full')
    })
    const service = await start(control, new Source(), { table })
    const atMs = Number.MAX_SAFE_INTEGER
    service.set({ project: projectOf(0), kind: 'test', id: 'a', atMs })
    await until('an attempt', () => write.mock.calls.length === 1)
    expect([service.isBehind(projectOf(0)), service.isBehind(projectOf(1))]).toEqual([true, false])
    service.set({ project: projectOf(1), kind: 'test', id: 'b', atMs })
    await until('both in the table', () => table.all().length === 2)
    expect(service.isBehind(projectOf(0))).toBe(false)
  })

  it('that are set while they are at work follow, and never run twice at a time', async () => {
    const source = new Source()
    let running = 0
    const service = await start(controlWith(1), source)
    const timer = { project: projectOf(0), kind: 'test', id: 'again', atMs: 1 }
    source.due = async (due) => {
      running++
      expect(running).toBe(1)
      source.fired.push(due)
      if (source.fired.length < 5) service.set({ ...timer, atMs: source.fired.length + 1 })
      await new Promise((resolve) => setTimeout(resolve, 3))
      running--
    }
    service.set(timer)
    await until('five firings', () => source.fired.length === 5)
  })

  it('of a project that is gone are forgotten', async () => {
    const control = controlWith(1)
    const source = new Source()
    let asked = false
    source.due = () => {
      asked = true
      return Promise.reject(new Error('gone'))
    }
    const service = await start(control, source, { exists: () => false })
    service.set({ project: projectOf(0), kind: 'test', id: 'a', atMs: 0 })
    service.set({ project: projectOf(9), kind: 'test', id: 'a', atMs: Number.MAX_SAFE_INTEGER })
    await until('the source was asked', () => asked)
    await service.stop()
    expect(new TimerTable(control).all()).toEqual([])
  })

  it('of a removed project take no memory until they would have been due', async () => {
    const control = controlWith(2)
    const source = new Source()
    let nowMs = 0
    const service = await start(control, source, { now: () => nowMs })
    for (const n of [0, 1]) service.set({ project: projectOf(n), kind: 'test', id: 'yearly', atMs: 1000 })
    service.forget(projectOf(0))
    nowMs = 1000
    await until('the other', () => source.fired.length > 0)
    expect(source.fired.map(({ project }) => project)).toEqual([projectOf(1)])
    await service.stop()
    expect(new TimerTable(control).all()).toEqual([])
  })

  it('of ten thousand idle projects wait without opening any of them', async () => {
    let nowMs = 0
    const control = controlWith(10_000)
    const set = await start(control, new Source(), { now: () => nowMs })
    for (let n = 0; n < 10_000; n++) set.set({ project: projectOf(n), kind: 'test', id: 'job', atMs: 1000 + n })
    await set.stop()
    const source = new Source()
    await start(control, source, { now: () => nowMs })
    nowMs = 1009
    await until('those that are due', () => source.fired.length === 10)
    expect(source.fired.map(({ project }) => project)).toEqual(Array.from({ length: 10 }, (_, n) => projectOf(n)))
    expect(source.pending).not.toHaveBeenCalled()
  })
})

import { decodeMessage, type Message } from '@w3bstream/protocol'
import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../../../../test/support/until.ts'
import { type ControlDatabase, openControl } from '../../../database/control/control.ts'
import type { ProjectReader } from '../../../database/database.ts'
import { ApiError } from '../../../endpoint/api-error.ts'
import type { CronJob, MissedPolicy } from '../../../project/definition.ts'
import { definitionFromRows } from '../../../project/definition-rows.ts'
import { silentLogger } from '../../../telemetry/logger.ts'
import { type TestProject, World } from '../../testing/world.ts'
import { TimerService } from '../timer-service.ts'
import { TimerTable } from '../timer-table.ts'
import { CronTimers } from './cron-timers.ts'
import { firingMessage } from './firing.ts'

const start = Date.parse('2026-05-05T13:00:00Z')
const minuteMs = 60_000

let world: World
let project: TestProject
let control: ControlDatabase
let clock = { wallMs: start, steadyMs: 0 }
let run: Run | undefined
const readers: ProjectReader[] = []

/** What one run of a node does by the clock. */
interface Run {
  readonly cron: CronTimers
  /** What `submit` throws instead of taking a message. */
  refusal: Error | undefined
  /** What `submit` waits for before it takes one. */
  gate: Promise<unknown> | undefined
  attempts: number
  stop(): Promise<void>
}

async function startRun(): Promise<Run> {
  const reader = async () => {
    const opened = await world.database.openReader(project.key)
    readers.push(opened)
    return opened
  }
  const now = () => clock.wallMs
  const timers = new TimerService(
    { sleepMs: 2, parallel: 8, parallelPerProject: 8, flushMs: 1 },
    {
      table: new TimerTable(control),
      worked: () => [project.key],
      reader,
      exists: () => true,
      now,
      logger: silentLogger,
    },
  )
  const made: Run = {
    refusal: undefined,
    gate: undefined,
    attempts: 0,
    stop: () => timers.stop(),
    cron: new CronTimers({
      timers,
      exists: () => true,
      definition: async () => definitionFromRows(await (await reader()).definition())!,
      reader,
      submit: async (_, message) => {
        made.attempts++
        await made.gate
        if (made.refusal) throw made.refusal
        return project.pipeline.offer(message)
      },
      now,
      steadyNow: () => clock.steadyMs,
      logger: silentLogger,
    }),
  }
  timers.add(made.cron)
  await timers.start()
  made.cron.open()
  timers.open()
  run = made
  return made
}

async function open(): Promise<void> {
  clock = { wallMs: start, steadyMs: 0 }
  world = await World.open({
    now: () => clock.wallMs,
    onCommitted: (batch) => run?.cron.follow(project.key, batch.definitionChanges),
  })
  project = await world.project()
  await project.deploy({ rust_log: { TICK: 'start' } })
  control = openControl(':memory:')
  control.exec("INSERT INTO account VALUES ('1', 'ADMIN', 'ENABLED', 'INIT', 0, 0)")
  control.prepare("INSERT INTO project VALUES (?, '1', '1', 'demo', 'active', 0, 0)").run(project.key)
}

afterEach(async () => {
  await run?.stop()
  run = undefined
  for (const reader of readers.splice(0)) await reader.close()
  await world.close()
})

/** Time passes on both clocks. */
function pass(ms: number): void {
  clock = { wallMs: clock.wallMs + ms, steadyMs: clock.steadyMs + ms }
}

async function add(missed: MissedPolicy = 'once', expression = '* * * * *'): Promise<CronJob> {
  const result = await project.change({ op: 'cron.create', expression, eventType: 'TICK', missed })
  return (result.ok && result.value) as CronJob
}

/** Firings that were executed: scheduled times, in minutes after the start. */
async function fired(): Promise<number[]> {
  const reader = await world.database.openReader(project.key)
  const { data } = await reader.listMessages({ kind: 'timer', status: 'ok', size: -1 })
  await reader.close()
  return data.map(({ message }) => (decodeMessage(message).timestampMs - start) / minuteMs).reverse()
}

const firings = (count: number) =>
  until(`${count} firings`, async () => {
    const found = await fired()
    return found.length >= count && found
  })

describe('cron jobs', () => {
  it('fire at their times, with the payload that applets know', async () => {
    await open()
    await startRun()
    const { cronJobId } = await add()
    pass(minuteMs)
    await firings(1)
    pass(minuteMs)
    expect(await firings(2)).toEqual([1, 2])
    expect(await project.logs()).toEqual([
      `{"ID":"${cronJobId}","Timestamp":"2026-05-05T13:01:00Z"}`,
      `{"ID":"${cronJobId}","Timestamp":"2026-05-05T13:02:00Z"}`,
    ])
  })

  it.each([
    ['skip', []],
    ['once', [7]],
    ['all', [2, 3, 4, 5, 6, 7]],
  ] as const)('that were missed while the node was down are treated by the policy %s', async (missed, made) => {
    await open()
    const first = await startRun()
    await add(missed)
    pass(minuteMs)
    await firings(1)
    await first.stop()
    pass(6.5 * minuteMs)
    await startRun()
    expect(await firings(1 + made.length)).toEqual([1, ...made])
    pass(minuteMs)
    expect(await firings(2 + made.length)).toEqual([1, ...made, 8])
  })

  it('fire once, whoever puts them into the log and however often, also when retries are not recognised', async () => {
    await open()
    await project.change({ op: 'settings.put', settings: { idempotencyWindowMs: 0 } })
    const job = await add()
    const offer = (minute: number) => project.submit(firing(job, minute))
    expect(await offer(2)).toMatchObject({ status: 'ok' })
    expect(await offer(2)).toMatchObject({ status: 'refused', detail: 'CronFired' })
    expect(await offer(1)).toMatchObject({ status: 'refused', detail: 'CronFired' })
    const both = await Promise.all([offer(3), offer(3)])
    expect(both.map(({ status }) => status).sort()).toEqual(['ok', 'refused'])
    await project.change({ op: 'cron.remove', cronJobId: job.cronJobId })
    expect(await offer(4)).toMatchObject({ status: 'refused', detail: 'CronJobNotFound' })
    expect(await fired()).toEqual([2, 3])
  })

  it('fire once when the node crashes before it knows that they did', async () => {
    await open()
    const job = await add('all')
    const first = await startRun()
    await first.stop()
    // The last message of a run that was killed.
    await project.submit(firing(job, 1))
    pass(2 * minuteMs)
    await startRun()
    expect(await firings(2)).toEqual([1, 2])
  })

  it('wait when the mailbox is full, and are all made then', async () => {
    await open()
    const running = await startRun()
    await add('skip')
    running.refusal = new ApiError('MailboxFull')
    for (let i = 0; i < 5; i++) pass(minuteMs)
    await until('an attempt', () => running.attempts > 0)
    running.refusal = undefined
    // The rest before the next attempt.
    pass(minuteMs / 2)
    expect(await firings(5)).toEqual([1, 2, 3, 4, 5])
  })

  it('do not fire twice when the clock is put back, nor all at once when it is put forward', async () => {
    await open()
    await startRun()
    await add('once')
    pass(minuteMs)
    await firings(1)
    clock = { ...clock, wallMs: clock.wallMs - 30 * minuteMs }
    pass(29 * minuteMs)
    clock = { ...clock, wallMs: clock.wallMs + 60.5 * minuteMs }
    expect(await firings(2)).toEqual([1, 60])
  })

  it('rest while the project is paused, and go on by the policy', async () => {
    await open()
    await startRun()
    await add('once')
    await project.change({ op: 'project.update', state: 'paused' })
    pass(5.5 * minuteMs)
    await project.change({ op: 'project.update', state: 'active' })
    expect(await firings(1)).toEqual([5])
    pass(minuteMs)
    expect(await firings(2)).toEqual([5, 6])
  })

  it('that the traffic limit refuses are left out', async () => {
    await open()
    const running = await startRun()
    await add('all')
    running.refusal = new ApiError('TrafficLimitExceeded')
    pass(minuteMs)
    await until('the job moves on', () =>
      new TimerTable(control).all().some(({ atMs }) => atMs === start + 2 * minuteMs),
    )
    running.refusal = undefined
    pass(minuteMs)
    expect(await firings(1)).toEqual([2])
  })

  it('follow a change of their schedule that comes while they fire', async () => {
    await open()
    const running = await startRun()
    const { cronJobId } = await add('once', '@hourly')
    const { promise: gate, resolve } = Promise.withResolvers<void>()
    running.gate = gate
    pass(60 * minuteMs)
    await until('the firing is on its way', () => running.attempts === 1)
    await project.change({ op: 'cron.update', cronJobId, expression: '@every 2m' })
    resolve()
    await firings(1)
    pass(2 * minuteMs)
    expect(await firings(2)).toEqual([60, 62])
  })

  it('that cannot be read any more keep no others', async () => {
    await open()
    const { cron } = await startRun()
    const broken = JSON.stringify({ ...(await add()), cronJobId: '9', expression: '@every never' })
    expect(() => cron.follow(project.key, [{ kind: 'cronJob', id: '9', value: broken }])).not.toThrow()
    pass(minuteMs)
    expect(await firings(1)).toEqual([1])
  })

  it('follow changes of their schedule, and stop when they are removed', async () => {
    await open()
    await startRun()
    const { cronJobId } = await add('once', '@hourly')
    await project.change({ op: 'cron.update', cronJobId, expression: '@every 2m' })
    pass(2 * minuteMs)
    expect(await firings(1)).toEqual([2])
    await project.change({ op: 'cron.remove', cronJobId })
    pass(10 * minuteMs)
    await until('the table is empty', () => new TimerTable(control).all().length === 0)
    expect(await fired()).toEqual([2])
  })
})

function firing(job: CronJob, minute: number): Message {
  return firingMessage(job, start + minute * minuteMs, clock.wallMs)
}

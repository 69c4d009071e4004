import { describe, expect, it } from 'vitest'
import type { ChangeResult, CronJob, ProjectChange, TrafficLimit } from '../definition.ts'
import { History } from '../testing/history.ts'

async function project(): Promise<History> {
  const history = new History()
  await history.apply({ op: 'project.create', projectId: '7', accountId: '8', name: 'aid_8_demo' })
  return history
}

const idOf = (result: ChangeResult) => (result.ok ? result.id! : '')

describe('cron jobs of a definition', () => {
  const create = (over: object = {}): ProjectChange => ({ op: 'cron.create', expression: ' @daily ', ...over })

  it('have defaults, and count their times from the batch that made them', async () => {
    const history = await project()
    const result = await history.apply(create())
    const job = history.definition!.cronJobs.get(idOf(result))!
    expect(job).toMatchObject({ expression: '@daily', eventType: 'DEFAULT', missed: 'once' })
    expect(job.sinceMs).toBe(job.createdMs)
    expect(result).toMatchObject({ ok: true, value: job })
  })

  it('count anew only when their schedule changes', async () => {
    const history = await project()
    const cronJobId = idOf(await history.apply(create()))
    const { sinceMs } = history.definition!.cronJobs.get(cronJobId)!
    const change = async (fields: Partial<CronJob>) => {
      await history.apply({ op: 'cron.update', cronJobId, ...fields })
      return history.definition!.cronJobs.get(cronJobId)!.sinceMs
    }
    expect(await change({ missed: 'all', eventType: 'X' })).toBe(sinceMs)
    expect(await change({ expression: '@hourly' })).not.toBe(sinceMs)
  })

  it('are refused with the code of what is wrong', async () => {
    const history = await project()
    const cronJobId = idOf(await history.apply(create()))
    expect(await history.apply(create())).toMatchObject({ ok: false, code: 'CronJobConflict' })
    expect(await history.apply(create({ expression: '0 0 31 2 *' }))).toMatchObject({ code: 'InvalidCronExpressions' })
    expect(await history.apply(create({ eventType: 'OTHER' }))).toMatchObject({ ok: true })
    const conflicting: ProjectChange = { op: 'cron.update', cronJobId, eventType: 'OTHER' }
    expect(await history.apply(conflicting)).toMatchObject({ code: 'CronJobConflict' })
    await history.apply({ op: 'cron.remove', cronJobId })
    expect(await history.apply({ op: 'cron.remove', cronJobId })).toMatchObject({ code: 'CronJobNotFound' })
    expect(await history.apply({ op: 'cron.update', cronJobId })).toMatchObject({ code: 'CronJobNotFound' })
  })

  it('are a hundred at most', async () => {
    const history = await project()
    for (let n = 0; n < 100; n++)
      expect(await history.apply(create({ eventType: `E${n}` }))).toMatchObject({ ok: true })
    expect(await history.apply(create())).toMatchObject({ ok: false, code: 'badRequest' })
  })
})

describe('traffic limits of a definition', () => {
  const create = (over: Partial<TrafficLimit> = {}): ProjectChange => ({
    op: 'traffic.create',
    apiType: 'EVENT',
    threshold: 5,
    duration: '24h',
    ...over,
  })

  it('are one of each type and scope, with periods from the start of the day', async () => {
    const history = await project()
    const trafficLimitId = idOf(await history.apply(create()))
    const limit = history.definition!.trafficLimits.get(trafficLimitId)!
    expect(limit).toMatchObject({ scope: 'PROJECT', threshold: 5, duration: '24h' })
    expect(limit.startMs % 86_400_000).toBe(0)
    expect(await history.apply(create())).toMatchObject({ code: 'TrafficLimitConflict' })
    expect(await history.apply(create({ scope: 'DEVICE' }))).toMatchObject({ ok: true })
    expect(await history.apply(create({ apiType: 'BLOCKCHAIN' }))).toMatchObject({ ok: true })
    await history.apply({ op: 'traffic.remove', trafficLimitId })
    expect(await history.apply({ op: 'traffic.remove', trafficLimitId })).toMatchObject({
      code: 'TrafficLimitNotFound',
    })
    expect(await history.apply({ op: 'traffic.update', trafficLimitId })).toMatchObject({
      code: 'TrafficLimitNotFound',
    })
  })

  it.each<Partial<TrafficLimit>>([
    { threshold: -1 },
    { threshold: 1.5 },
    { duration: '' },
    { duration: '500ms' },
    { duration: '10000h' },
    { duration: 'day' },
    { apiType: 'BLOCKCHAIN', scope: 'DEVICE' },
  ])('refuse %j', async (wrong) => {
    expect(await (await project()).apply(create(wrong))).toMatchObject({ ok: false, code: 'badRequest' })
  })
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CliOptions, runCli } from '../support/cli.ts'
import { guest } from '../support/guests.ts'
import { Management } from '../support/management.ts'
import { adminPassword, NodeProcess } from '../support/node-process.ts'
import { makeTempDirectory, removeDirectory } from '../support/temp.ts'
import { until } from '../support/until.ts'

interface Job {
  readonly cronJobID: string
  readonly projectID: string
  readonly cronExpressions: string
  readonly eventType: string
  readonly missed: string
  readonly next: readonly string[]
}

describe('cron jobs', () => {
  let node: NodeProcess
  let admin: Management
  let directory = ''
  let options: CliOptions = {}
  let projectId = ''

  beforeAll(async () => {
    directory = await makeTempDirectory()
    node = await NodeProcess.start()
    options = { cwd: directory, env: { HOME: directory, W3BSTREAM_URL: node.management } }
    admin = await Management.login(node)
    await runCli(['login', '--password-stdin'], { ...options, input: adminPassword })
    projectId = await admin.project('demo')
    await admin.applet('demo', guest('rust_log'), [{ eventType: 'TICK', handler: 'start' }])
  })
  afterAll(async () => {
    await node?.[Symbol.asyncDispose]()
    await removeDirectory(directory)
  })

  const post = (body: object, id = projectId) => admin.send('POST', `/cronjob/${id}`, body)
  const list = (query = '') =>
    admin.expect<{ data: Job[] | null; total: number }>('GET', `/cronjob/${projectId}${query}`)

  it('are made, listed, changed and removed over the API', async () => {
    const made = await admin.expect<Job>('POST', `/cronjob/${projectId}`, { cronExpressions: '0 6 * * *' })
    expect(made).toMatchObject({
      projectID: projectId,
      cronExpressions: '0 6 * * *',
      eventType: 'DEFAULT',
      missed: 'once',
      next: [expect.stringMatching(/T06:00:00Z$/)],
    })
    expect((await list()).data).toEqual([made])
    expect((await list('?eventType=OTHER')).data).toBeNull()
    expect((await list(`?cronJobID=${made.cronJobID}`)).total).toBe(1)
    const path = `/cronjob/data/${made.cronJobID}`
    const changed = await admin.expect<Job>('PUT', path, { cronExpressions: '@hourly', missed: 'skip' })
    expect(changed).toMatchObject({ cronJobID: made.cronJobID, cronExpressions: '@hourly', missed: 'skip' })
    expect((await admin.expect<Job>('GET', `${path}?next=3`)).next).toHaveLength(3)
    expect((await admin.send('DELETE', path)).status).toBe(204)
    expect((await list()).data).toBeNull()
  })

  it('are refused with the codes that clients know', async () => {
    expect(await post({ cronExpressions: '61 * * * *' })).toMatchObject({
      status: 400,
      json: { key: 'InvalidCronExpressions', code: 400999005, desc: expect.stringContaining('61') },
    })
    expect(await post({})).toMatchObject({
      status: 400,
      json: { key: 'badRequest', fields: [{ field: 'cronExpressions' }] },
    })
    expect(await post({ cronExpressions: '@daily', missed: 'never' })).toMatchObject({ status: 400 })
    expect(await post({ cronExpressions: '@daily' }, '1')).toMatchObject({
      status: 404,
      json: { key: 'ProjectNotFound' },
    })
    expect((await post({ cronExpressions: '@daily' })).status).toBe(201)
    expect(await post({ cronExpressions: '@daily' })).toMatchObject({ status: 409, json: { code: 409999010 } })
    expect(await admin.send('DELETE', '/cronjob/data/1')).toMatchObject({ status: 404, json: { code: 404999011 } })
  })

  it('make events with an id, a type and a payload as published', async () => {
    const { cronJobID } = await admin.expect<Job>('POST', `/cronjob/${projectId}`, {
      cronExpressions: '@every 1s',
      eventType: 'TICK',
    })
    const line = await until('the handler', async () => (await admin.logs('demo'))[0])
    expect(JSON.parse(line.msg)).toEqual({
      ID: cronJobID,
      Timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    })
    expect(line.eventID).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}_monitor$/)
    expect((await admin.receipts('demo', 'kind=timer'))[0]).toMatchObject({ kind: 'timer', eventType: 'TICK' })
    await admin.expect('DELETE', `/cronjob/data/${cronJobID}`)
  })

  it('are kept by commands', async () => {
    const cli = (...args: string[]) => runCli(['cron', ...args, '--json'], options)
    const added = (await cli('add', '@every 90m', '--event', 'NINETY', '--missed', 'all', '-p', 'demo')).json<Job>()
    expect(added).toMatchObject({ cronExpressions: '@every 90m', eventType: 'NINETY', missed: 'all' })
    const { data } = (await cli('list', '-p', 'demo')).json<{ data: Job[] }>()
    expect(data.map(({ cronJobID }) => cronJobID)).toContain(added.cronJobID)
    const { next } = (await cli('next', added.cronJobID, '-n', '3')).json<Job>()
    expect(Date.parse(next[2]!) - Date.parse(next[1]!)).toBe(90 * 60_000)
    expect((await cli('remove', added.cronJobID)).json()).toEqual({ cronJobID: added.cronJobID, removed: true })
    expect((await cli('add', 'nonsense', '-p', 'demo')).code).not.toBe(0)
    expect((await cli('next', added.cronJobID)).stderr).toContain('CronJobNotFound')
  })
})

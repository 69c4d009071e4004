import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Client, call, client } from './testing/client.ts'
import { loginByWallet } from './testing/siwe.ts'
import { adminPassword, openWorld, type World } from './testing/world.ts'

describe('who may set cron jobs and traffic limits', () => {
  let world: World
  let admin: Client
  let owner: Client
  let stranger: Client
  let fullName = ''
  let projectId = ''
  const limit = { threshold: 1, duration: '24h', apiType: 'EVENT' }

  beforeAll(async () => {
    world = await openWorld()
    const login = { username: 'admin', password: adminPassword }
    const { json } = await call(`${world.api}/login`, { method: 'PUT', body: JSON.stringify(login) })
    admin = client(world, String(json.token))
    const first = await loginByWallet(world.api)
    owner = client(world, first.token)
    stranger = client(world, (await loginByWallet(world.api)).token)
    projectId = String((await owner.post('/project', { name: 'demo' })).json.projectID)
    fullName = `${first.prefix}demo`
  })
  afterAll(() => world.stop())

  it('limits of a project are for administrators, who name it by its full name', async () => {
    const refused = { status: 401, json: { key: 'NoAdminPermission', code: 401999006 } }
    expect(await owner.post('/traffic/x/demo', limit)).toMatchObject(refused)
    expect(await owner.get('/traffic/x/demo/datalist')).toMatchObject(refused)
    expect(await owner.delete('/traffic/x/demo')).toMatchObject(refused)
    expect((await admin.post('/traffic/x/demo', limit)).json).toMatchObject({ key: 'ProjectNotFound' })
    const made = await admin.post(`/traffic/x/${fullName}`, limit)
    expect(made).toMatchObject({ status: 201, json: { projectID: projectId, scope: 'PROJECT' } })
    const change = (...changes: object[]) => owner.post('/project/x/demo/changes', { changes })
    const id = made.json.trafficLimitID
    expect(await change({ op: 'traffic.create', ...limit })).toMatchObject(refused)
    expect(await change({ op: 'traffic.update', trafficLimitId: id, threshold: 9 })).toMatchObject(refused)
    expect(await change({ op: 'traffic.remove', trafficLimitId: id })).toMatchObject(refused)
    expect(await change({ op: 'traffic.remove', trafficLimitId: '1' })).toMatchObject(refused)
    expect((await admin.get(`/traffic/data/${id}`)).json).toMatchObject({ threshold: 1 })
  })

  it('limits of devices are for the owner too', async () => {
    const change = (...changes: object[]) => owner.post('/project/x/demo/changes', { changes })
    const made = await change({ op: 'traffic.create', ...limit, scope: 'DEVICE' })
    expect(made.status).toBe(201)
    const { json } = await owner.get('/project/x/demo/definition')
    const own = (json.trafficLimits as unknown as { scope: string; trafficLimitId: string }[]).find(
      ({ scope }) => scope === 'DEVICE',
    )!
    expect((await change({ op: 'traffic.update', trafficLimitId: own.trafficLimitId, threshold: 2 })).status).toBe(201)
    expect((await change({ op: 'traffic.remove', trafficLimitId: own.trafficLimitId })).status).toBe(201)
  })

  it('cron jobs are for the owner only', async () => {
    const refused = { status: 401, json: { key: 'NoProjectPermission', code: 401999004 } }
    const { json } = await owner.post(`/cronjob/${projectId}`, { cronExpressions: '@daily' })
    for (const other of [stranger, admin]) {
      expect(await other.post(`/cronjob/${projectId}`, { cronExpressions: '@daily' })).toMatchObject(refused)
      expect(await other.get(`/cronjob/${projectId}`)).toMatchObject(refused)
      expect(await other.get(`/cronjob/data/${json.cronJobID}`)).toMatchObject(refused)
      expect(await other.put(`/cronjob/data/${json.cronJobID}`, { missed: 'all' })).toMatchObject(refused)
      expect(await other.delete(`/cronjob/data/${json.cronJobID}`)).toMatchObject(refused)
    }
    expect((await owner.delete(`/cronjob/data/${json.cronJobID}`)).status).toBe(204)
  })
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Client, client, type Json } from './testing/client.ts'
import { loginByWallet } from './testing/siwe.ts'
import { openWorld, type World } from './testing/world.ts'

let world: World
let builder: Client

beforeAll(async () => {
  world = await openWorld()
  builder = client(world, (await loginByWallet(world.api)).token)
  await builder.post('/project', { name: 'demo' })
})
afterAll(() => world.stop())

const fieldsOf = ({ fields }: Json) => (fields as unknown as { field: string }[]).map(({ field }) => field)

describe('the public key of a device', () => {
  const good = 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'

  it.each(['did:key:zbad', 'did:web:a', good.slice(0, -1), `${good}a`])('is refused: %s', async (publicKey) => {
    const { publisherID } = (await builder.post('/publisher/x/demo/upsert', { name: 'd', key: 'd' })).json
    const device = { name: 'd', key: 'e', publicKey }
    const answers = await Promise.all([
      builder.post('/publisher/x/demo', device),
      builder.post('/publisher/x/demo/upsert', device),
      builder.put(`/publisher/x/demo/${publisherID}`, device),
    ])
    for (const answer of answers)
      expect(answer).toMatchObject({ status: 400, json: { key: 'badRequest', fields: [{ field: 'publicKey' }] } })
    const changes = ['create', 'upsert', 'update'].map((verb) => ({
      op: `publisher.${verb}`,
      publisherId: publisherID,
      ...device,
    }))
    const { json } = await builder.post('/project/x/demo/changes', { changes })
    expect(fieldsOf(json)).toEqual([0, 1, 2].map((i) => `changes[${i}].publicKey`))
  })

  it('is taken, and taken away by an empty one', async () => {
    const made = await builder.post('/publisher/x/demo', { name: 'k', key: 'k', publicKey: good })
    expect(made).toMatchObject({ status: 201, json: { publicKey: good } })
    const path = `/publisher/x/demo/${made.json.publisherID}`
    expect((await builder.put(path, { name: 'k', key: 'k', publicKey: '' })).status).toBe(204)
  })
})

describe('an access key that manages access keys', () => {
  const keys = 'Account Access Key'
  const give = (by: Client, name: string, ...privileges: [name: string, perm: string][]) =>
    by.post('/account_access_key', { name, privileges: privileges.map(([name, perm]) => ({ name, perm })) })

  it('gives no more than it has', async () => {
    const made = await give(builder, 'manager', [keys, 'READ_WRITE'], ['Project', 'READONLY'])
    const manager = client(world, String(made.json.accessKey))
    for (const [group, perm] of [
      ['Publisher', 'READONLY'],
      ['Project', 'READ_WRITE'],
    ] as const) {
      const refused = await give(manager, 'wide', [group, perm], [keys, 'READONLY'])
      expect(refused).toMatchObject({ status: 403, json: { key: 'AccessKeyPermissionDenied' } })
      expect(refused.json.desc).toMatch(new RegExp(`: ${group}$`))
    }
    expect((await builder.get('/account_access_key/data/wide')).status).toBe(404)
    expect((await give(manager, 'narrow', ['Project', 'READONLY'])).status).toBe(201)
  })

  it('widens neither itself nor another, and does not prolong a wider one', async () => {
    await give(builder, 'wider', ['Operator', 'READ_WRITE'])
    const manager = client(world, String((await give(builder, 'changer', [keys, 'READ_WRITE'])).json.accessKey))
    const denied = { status: 403, json: { key: 'AccessKeyPermissionDenied' } }
    const privileges = [{ name: 'Operator', perm: 'READ_WRITE' }]
    expect(await manager.put('/account_access_key/changer', { privileges })).toMatchObject(denied)
    expect(await manager.put('/account_access_key/wider', { expirationDays: 0 })).toMatchObject(denied)
    expect((await manager.put('/account_access_key/changer', { desc: 'renamed' })).status).toBe(200)
    expect((await manager.put('/account_access_key/wider', { privileges: [] })).status).toBe(200)
    expect((await builder.put('/account_access_key/changer', { privileges })).status).toBe(200)
  })
})

describe('a body of alternatives', () => {
  const told = async (path: string, body: unknown) =>
    ((await builder.post(path, body)).json.fields as unknown as { field: string; msg: string }[]).map(
      ({ field, msg }) => `${field}: ${msg}`,
    )
  const database = '/project_config/x/demo/PROJECT_DATABASE'

  it.each<[string, unknown, string[]]>([
    ['neither', { schemas: 5 }, ['schemas: must be array or null']],
    ['a list with a mistake', { schemas: [{ tables: 'x' }] }, ['schemas[0].tables: must be array']],
    [
      'two levels',
      { schemas: [{ tables: [{ name: 't', cols: [], keys: 1 }] }] },
      ['schemas[0].tables[0].keys: must be array or null'],
    ],
  ])('is told what would be right: %s', async (_name, body, problems) => {
    expect(await told(database, body)).toEqual(problems)
  })

  it('names the members by which objects are told apart', async () => {
    const query = (param: unknown) => told('/project_database/x/demo/query', { statement: 'SELECT', params: [param] })
    expect(await query({ int64: true })).toEqual([
      expect.stringMatching(/^params\[0\]\.int64: must be integer or text like/),
    ])
    const [other] = await query({ int65: 1 })
    expect(other).toMatch(/^params\[0\]: must be null or boolean or number or string or \{int32\} or /)
  })

  it('lists the problems of tables with the fields that are missing', async () => {
    const cols = [{ constrains: { datatype: 'INT' } }, { name: 'b', constrains: { datatype: 'BLOB' } }]
    const tables = [{ name: 't', cols, keys: [{ columnNames: ['nope'] }] }]
    const at = 'schemas[0].tables[0]'
    const found = await told(database, { schemas: [{ tables }] })
    expect(found).toEqual([
      `${at}.cols[0].name: missing required field`,
      expect.stringMatching(/cols\[1\]\.constrains: datatype "BLOB": one of INT, /),
      expect.stringMatching(/keys\[0\]\.columnNames: "nope": a column of the table$/),
    ])
  })

  it('names more than a few mistakes', async () => {
    const cols = Array.from({ length: 30 }, () => ({ constrains: { datatype: 'INT' } }))
    expect(await told(database, { schemas: [{ tables: [{ name: 't', cols }] }] })).toHaveLength(30)
  })
})

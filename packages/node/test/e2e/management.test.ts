import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { postEvent, sender } from '../support/events.ts'
import { guest } from '../support/guests.ts'
import { type AppletAnswer, appletForm, type Device, Management } from '../support/management.ts'
import { TestDevice } from '../support/mqtt.ts'
import { NodeProcess } from '../support/node-process.ts'
import { until } from '../support/until.ts'

const column = (name: string, datatype: string, more: object = {}) => ({ name, constrains: { datatype, ...more } })
const words = [column('f_word', 'TEXT', { length: 255 }), column('f_length', 'INT32')]
const schema = (tables: object[]) => ({ schemas: [{ schema: 'public', tables }] })

/** Changes of a project while it works, and what they do to those who are connected. */
describe('management of a working project', () => {
  let node: NodeProcess
  let admin: Management
  let applet: AppletAnswer
  let device: Device
  let channel = ''
  let send: ReturnType<typeof sender>

  beforeAll(async () => {
    node = await NodeProcess.start()
    admin = await Management.login(node)
    await admin.project('live', {
      database: schema([{ name: 't_words', cols: words }]),
      envs: { env: [['KEY', 'first']] },
    })
    applet = await admin.applet('live', guest('rust_kv_sql'), [
      { eventType: 'STORE', handler: 'store_words' },
      { eventType: 'COUNT', handler: 'count_words' },
      { eventType: 'ENV', handler: 'read_env' },
      { eventType: 'SQL', handler: 'query' },
    ])
    device = await admin.device('live', 'd1')
    channel = admin.channel('live')
    send = sender(node, channel, device)
  })
  afterAll(() => node[Symbol.asyncDispose]())

  const code = async (payload: string, eventType: string) =>
    (await send(payload, { eventType })).json.results?.[0]?.code
  const configure = (type: string, body: object) => admin.send('POST', `/project_config/x/live/${type}`, body)

  describe('tables', () => {
    it('are filled by applets and read by the owner', async () => {
      expect(await code('to be', 'STORE')).toBe(0)
      expect(await admin.query('live', 'SELECT f_word, f_length FROM t_words ORDER BY f_word')).toEqual([
        { f_word: 'be', f_length: 2 },
        { f_word: 'to', f_length: 2 },
      ])
    })

    it('grow by columns, tables and keys', async () => {
      const more = schema([
        {
          name: 't_words',
          cols: [...words, column('f_note', 'TEXT', { null: true })],
          keys: [{ name: 'word', columnNames: ['f_word'] }],
        },
        { name: 't_more', cols: [column('f_n', 'INT64')] },
      ])
      expect((await configure('PROJECT_DATABASE', more)).status).toBe(201)
      expect(await admin.query('live', 'SELECT f_word, f_note FROM t_words ORDER BY f_word LIMIT 1')).toEqual([
        { f_word: 'be', f_note: null },
      ])
      expect(await admin.query('live', 'SELECT count(*) AS n FROM t_more')).toEqual([{ n: 0 }])
      expect(await code('again', 'STORE')).toBe(0)
    })

    it.each([
      ['of another type', [{ name: 't_words', cols: [words[0], column('f_length', 'TEXT')] }], /f_length/],
      ['that must not be null', [{ name: 't_words', cols: [...words, column('f_must', 'INT32')] }], /f_must/],
    ])('refuse columns %s, with the reason, and stay as they were', async (_what, tables, reason) => {
      const { status, json } = await configure('PROJECT_DATABASE', schema(tables as object[]))
      expect(status).toBe(409)
      expect(json.desc).toMatch(reason)
      expect(await code('still', 'STORE')).toBe(0)
    })

    it.each([
      ['a type that is none', { name: 't_x', cols: [column('f_x', 'WHATEVER')] }],
      ['a name that is none', { name: '', cols: [column('f_x', 'INT32')] }],
      ['no columns', { name: 't_x', cols: [] }],
    ])('with %s are refused', async (_what, table) => {
      const { status } = await configure('PROJECT_DATABASE', schema([table]))
      expect(status).toBe(400)
    })

    it('cannot be written by the owner’s queries, nor the node’s own tables read', async () => {
      for (const statement of [
        'DELETE FROM t_words',
        'SELECT * FROM kv',
        'SELECT * FROM sqlite_master',
        'PRAGMA user_version',
        'SELECT 1; SELECT 2',
      ]) {
        const { status, json } = await admin.send('POST', '/project_database/x/live/query', { statement, params: [] })
        expect(status).toBe(400)
        expect(json.key).toBeTypeOf('string')
      }
      expect(await admin.query('live', 'SELECT count(*) > 0 AS n FROM t_words')).toEqual([{ n: true }])
    })
  })

  it('shows variables to the next event', async () => {
    await send('KEY', { eventType: 'ENV', eventId: 'env-1' })
    expect((await configure('PROJECT_ENV', { env: [['KEY', 'second']] })).status).toBe(201)
    await send('KEY', { eventType: 'ENV', eventId: 'env-2' })
    const told = async (id: string) => (await admin.logs('live', `eventID=${id}`)).map(({ msg }) => msg)
    expect(await told('env-1')).toEqual(['first'])
    expect(await told('env-2')).toEqual(['second'])
    await configure('PROJECT_ENV', { env: [] })
    expect(await code('KEY', 'ENV')).toBe(-8)
  })

  it('uses new code exactly from the update on', async () => {
    await admin.project('update')
    const made = await admin.applet('update', guest('rust_log'), [{ eventType: 'DEFAULT', handler: 'start' }])
    const publish = sender(node, admin.channel('update'), await admin.device('update', 'd1'))
    let updating = true
    const sending = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (updating) await publish('a b')
      }),
    )
    await until('events', async () => (await admin.receipts('update')).length > 10)
    const form = appletForm(guest('go_log'), { strategies: [{ eventType: 'DEFAULT', handler: 'count_words' }] })
    await admin.expect('PUT', `/applet/${made.appletID}`, form)
    expect((await publish('a b')).json.results).toMatchObject([{ handler: 'count_words', code: 2 }])
    updating = false
    await sending
    // In the order of the history: everything before the change ran the old handler, everything after it the new one.
    const receipts = [...(await admin.receipts('update'))].sort(
      (a, b) => Number(a.height) - Number(b.height) || a.index - b.index,
    )
    const change = receipts.findLastIndex(({ kind }) => kind === 'config')
    const handlerOf = async ({ messageID }: { messageID: string }) =>
      (await admin.receiptFile('update', messageID)).summary.results[0]?.handler
    const around = [...receipts.slice(change - 3, change), ...receipts.slice(change + 1, change + 4)]
    expect(await Promise.all(around.map(handlerOf))).toEqual([
      ...Array(3).fill('start'),
      ...Array(around.length - 3).fill('count_words'),
    ])
  })

  it('stops and starts instances', async () => {
    const { instanceID } = applet.instance
    expect((await admin.send('PUT', `/deploy/${instanceID}/HUNGUP`)).status).toBe(204)
    expect((await send('x', { eventType: 'COUNT' })).json.results).toMatchObject([{ error: 'instance not running' }])
    expect((await admin.send('PUT', `/deploy/${instanceID}/RESTART`)).json.key).toBe('UnknownDeployCommand')
    expect((await admin.send('PUT', `/deploy/${instanceID}/START`)).status).toBe(204)
    expect(await code('x', 'COUNT')).toBe(0)
  })

  it('keeps the writes of a negative return unless the project rolls back', async () => {
    const body = JSON.stringify({ statement: 'SELECT broken', params: [] })
    expect(await code(body, 'SQL')).toBe(-1)
    await admin.change('live', { op: 'settings.put', settings: { rollbackOnNegative: true } })
    expect(await code('fine', 'COUNT')).toBe(0)
    expect((await admin.kv('live')).get('fine')?.readInt32LE()).toBe(1)
    await admin.change('live', { op: 'settings.put', settings: { rollbackOnNegative: false } })
  })

  it('executes nothing while the project is paused, and keeps its settings over a restart', async () => {
    await admin.change('live', { op: 'project.update', state: 'paused' })
    expect((await send('x', { eventType: 'COUNT' })).json).toMatchObject({ error: 'ProjectPaused', results: null })
    await node.restart()
    expect((await send('x', { eventType: 'COUNT' })).json).toMatchObject({ error: 'ProjectPaused', results: null })
    await admin.change('live', { op: 'project.update', state: 'active' })
    expect(await code('x', 'COUNT')).toBe(0)
  })

  describe('revocation', () => {
    it('by rotation ends connections and tokens, and the new token works', async () => {
      const before = await admin.device('live', 'rotated')
      const connected = await TestDevice.connect(node, { username: before.key, password: before.token })
      await admin.expect('PUT', `/publisher/x/live/${before.publisherID}/rotate`)
      const after = await admin.expect<Device>('GET', `/publisher/data/${before.publisherID}`)
      expect(after.token).not.toBe(before.token)
      const published = connected.client.publishAsync(`${channel}/COUNT`, 'revoked', { qos: 1 })
      await expect(
        Promise.race([published, connected.closed.then(() => Promise.reject(new Error('closed')))]),
      ).rejects.toThrow()
      expect(
        (await postEvent(node, { channel, token: before.token, eventType: 'COUNT' })).status,
      ).toBeGreaterThanOrEqual(401)
      expect((await postEvent(node, { channel, token: after.token, eventType: 'COUNT' })).status).toBe(201)
      await expect(TestDevice.connect(node, { username: before.key, password: before.token })).rejects.toThrow()
      await connected[Symbol.asyncDispose]()
      expect((await admin.kv('live')).has('revoked')).toBe(false)
    })

    it('by removal reaches open WebSocket connections', async () => {
      const gone = await admin.device('live', 'gone')
      const socket = new WebSocket(`ws://127.0.0.1:${node.httpPort}/rpc?authorization=${gone.token}`)
      const answers: { id?: number; result?: unknown; error?: { message: string } }[] = []
      let closed = false
      socket.on('message', (data: Buffer) => answers.push(JSON.parse(data.toString())))
      socket.on('close', () => {
        closed = true
      })
      await until('the connection', () => socket.readyState === WebSocket.OPEN)
      const publish = (id: number, payload: string) => {
        const params = { channel, eventType: 'COUNT', payload }
        socket.send(JSON.stringify({ jsonrpc: '2.0', id, method: 'w3b_publish', params }))
        return until(
          `answer ${id}`,
          () => answers.find((answer) => answer.id === id) ?? (closed && { id, result: undefined }),
        )
      }
      expect((await publish(1, 'before')).result).toBeDefined()
      await admin.expect('DELETE', `/publisher/data/${gone.publisherID}`)
      expect((await publish(2, 'afterwards')).result).toBeUndefined()
      socket.terminate()
      expect((await admin.kv('live')).has('afterwards')).toBe(false)
    })
  })

  it('of a project that is removed leaves nothing of it', async () => {
    const before = await files()
    await admin.project('removed')
    await admin.applet('removed', guest('rust_kv_sql'), [{ eventType: 'DEFAULT', handler: 'count_words' }])
    const { token, key } = await admin.device('removed', 'd1')
    const to = admin.channel('removed')
    await postEvent(node, { channel: to, token, payload: 'x' })
    const connected = await TestDevice.connect(node, { username: key, password: token })
    expect((await files()).length).toBeGreaterThan(before.length)
    await admin.expect('DELETE', '/project/x/removed')
    await connected.closed
    await connected[Symbol.asyncDispose]()
    expect(await files()).toEqual(before)
    expect((await admin.send('GET', '/project/x/removed/data')).status).toBe(404)
    await admin.project('removed')
    expect(await admin.kv('removed')).toEqual(new Map())
    expect((await postEvent(node, { channel: to, token })).status).toBeGreaterThanOrEqual(401)
  })

  const files = async () => (await readdir(join(node.dataDir, 'projects'), { recursive: true })).sort()
})

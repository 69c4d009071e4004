import { mkdtemp, readFile, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type Answers, run, type Seen, serve } from './testing/run.ts'

const base = '/srv-applet-mgr/v0'
const servers: { close(): void }[] = []

afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function node(answers: Answers): Promise<{ url: string; seen: Seen[] }> {
  const server = await serve(answers)
  servers.push(server)
  return server
}

const directory = () => mkdtemp(join(tmpdir(), 'w3bstream-cli-'))

describe('speaking to a node', () => {
  it('sends the token and prints tables for people, JSON for scripts', async () => {
    const rows = [{ projectID: '12', name: 'weather', createdAt: '2026-01-01T00:00:00Z' }]
    const { url, seen } = await node({ [`GET ${base}/project/datalist?size=-1`]: { json: { data: rows, total: 1 } } })
    const human = await run(['project', 'list', '--url', url, '--token', 'tok'])
    expect(human.out).toBe('NAME     ID  CREATED               DESCRIPTION\nweather  12  2026-01-01T00:00:00Z\n')
    expect(seen[0]?.authorization).toBe('Bearer tok')
    const { out } = await run(['project', 'list', '--json'], { env: { W3BSTREAM_URL: url, W3BSTREAM_TOKEN: 'env' } })
    expect(JSON.parse(out)).toEqual({ data: rows, total: 1 })
    expect(seen[1]?.authorization).toBe('Bearer env')
  })

  it('shows the error of the node with its fields, and its key to scripts', async () => {
    const error = {
      key: 'badRequest',
      code: 400000000,
      desc: 'no',
      fields: [{ field: 'name', msg: 'too long', in: 'body' }],
    }
    const { url } = await node({ [`POST ${base}/project`]: { status: 400, json: error } })
    const human = await run(['project', 'create', 'x', '--url', url, '--token', 't'])
    expect(human).toMatchObject({ code: 1, out: '' })
    expect(human.err).toContain('badRequest: no\n  body name: too long')
    const script = await run(['project', 'create', 'x', '--url', url, '--token', 't', '--json'])
    expect(JSON.parse(script.err).error).toMatchObject({ code: 'badRequest', status: 400, fields: error.fields })
  })

  it.each([
    { what: 'nobody listens', answers: undefined, code: 'CLI_UNREACHABLE' },
    { what: 'nobody is logged in', answers: { status: 401, json: { key: 'InvalidToken' } }, code: 'CLI_NOT_LOGGED_IN' },
    { what: 'a proxy answers', answers: { status: 502, body: '<html>', type: 'text/html' }, code: 'HTTP 502' },
    { what: 'JSON is broken', answers: { body: '{' }, code: 'CLI_ANSWER_UNREADABLE' },
  ])('says so when $what', async ({ answers, code }) => {
    const url = answers ? (await node({ [`GET ${base}/project/datalist?size=-1`]: answers })).url : 'http://127.0.0.1:1'
    const { err } = await run(['project', 'list', '--url', url, '--json'])
    expect(JSON.parse(err).error.code).toBe(code)
  })

  it('takes control characters out of what strangers wrote', async () => {
    const rows = [{ publisherID: '1', key: 'a\u001b[2J', name: 'b', token: 'w3b_secret', createdAt: '' }]
    const { url } = await node({ [`GET ${base}/publisher/x/p?size=-1`]: { json: { data: rows, total: 1 } } })
    const { out } = await run(['device', 'list', '-p', 'p', '--url', url, '--token', 't'])
    expect(out).not.toContain('\u001b')
    expect(out).not.toContain('w3b_secret')
  })

  it('does not delete without being told twice', async () => {
    const { url, seen } = await node({ [`DELETE ${base}/project/x/weather`]: { status: 204, body: '' } })
    expect(await run(['project', 'delete', 'weather', '--url', url, '--token', 't'])).toMatchObject({ code: 2 })
    expect(seen).toEqual([])
    expect(await run(['project', 'delete', 'weather', '--yes', '--url', url, '--token', 't'])).toMatchObject({
      code: 0,
    })
    expect(seen).toMatchObject([{ method: 'DELETE' }])
  })

  it('registers a device and prints nothing but its token', async () => {
    const row = { publisherID: '1', key: 's1', name: 's1', token: 'w3b_x', createdAt: '' }
    const { url, seen } = await node({ [`POST ${base}/publisher/x/weather/upsert`]: { status: 201, json: row } })
    const { out } = await run(['device', 'add', 's1', '-p', 'weather', '--if-missing', '--url', url, '--token', 't'])
    expect(out).toBe('w3b_x\n')
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({ key: 's1', name: 's1' })
  })

  it('follows the log as a stream', async () => {
    const line = { src: 'wasmCode', level: 'info', msg: 'hello', logTime: '2026-01-01T00:00:00Z', row: 7 }
    const { url } = await node({
      [`GET ${base}/wasmlog/x/p/datalist?size=1`]: { json: { data: [line], total: 1 } },
      [`GET ${base}/project/x/p/events?type=log&after=7`]: {
        type: 'text/event-stream',
        body: `: here\n\nevent: log\ndata: ${JSON.stringify({ ...line, msg: 'again' })}\n\nevent: end\ndata: {"reason":"stopping"}\n\n`,
      },
    })
    const { out, err } = await run(['logs', '-p', 'p', '-f', '-n', '1', '--url', url, '--token', 't'])
    expect(out.split('\n').map((text) => text.split(' ').at(-1))).toEqual(['hello', 'again', ''])
    expect(err).toContain('stopping')
  })
})

describe('publishing', () => {
  const answer = { channel: 'aid_1_p', eventID: 'e', results: [{ appletName: 'a', handler: 'start', code: 0 }] }

  it('refuses a public key that is none before it asks the node', async () => {
    const { url, seen } = await node({})
    const refused = await run(['device', 'add', 's1', '-p', 'w', '--public-key', 'did:key:zbad', '--url', url])
    expect(refused).toMatchObject({ code: 2, out: '' })
    expect(refused.err).toContain('--public-key')
    expect(seen).toEqual([])
  })

  it('sends as a device whose token is asked from the node', async () => {
    const { url, seen } = await node({
      [`GET ${base}/publisher/x/p?size=-1&key=s1`]: { json: { data: [{ key: 's1', token: 'w3b_x' }], total: 1 } },
      [`GET ${base}/project/x/p/definition`]: { json: { project: { name: 'p', channel: 'aid_1_p' } } },
      'POST /rpc': { json: { jsonrpc: '2.0', id: 1, result: answer } },
    })
    const args = ['publish', '-p', 'p', '-d', 's1', '--data', 'hi', '--transport', 'rpc', '--url', url]
    const { code, out } = await run(args, { env: { W3BSTREAM_TOKEN: 'account' } })
    expect({ code, out }).toEqual({ code: 0, out: 'event e\na.start returned 0\n' })
    expect(JSON.parse(seen[2]?.body ?? '').params).toMatchObject({
      channel: 'aid_1_p',
      token: 'w3b_x',
      payload: 'aGk=',
      encoding: 'base64',
    })
  })

  it('asks to be told by the status when too much was sent', async () => {
    const json = { key: 'TrafficLimitExceeded', code: 429999104, desc: 'device', fields: null }
    const { url, seen } = await node({ [`POST ${base}/event/aid_1_p`]: { status: 429, json } })
    const args = ['publish', '-p', 'aid_1_p', '--token', 't', '--data', 'x', '--url', url]
    const { code, err } = await run(args)
    expect({ code, prefer: seen[0]?.prefer }).toEqual({ code: 1, prefer: 'handling=strict' })
    expect(err).toContain('TrafficLimitExceeded')
    expect(err).toContain('traffic list')
  })

  it('fails when a handler did', async () => {
    const results = [{ appletName: 'a', handler: 'start', code: -1, error: 'boom' }]
    const { url } = await node({ 'POST /rpc': { json: { result: { ...answer, results } } } })
    const args = ['publish', '-p', 'aid_1_p', '--token', 't', '--file', '-', '--transport', 'rpc', '--url', url]
    const { code, err } = await run(args, { input: 'x' })
    expect(code).toBe(1)
    expect(err).toContain('boom')
  })

  it.each([
    { what: 'neither device nor token', args: ['--data', 'x'] },
    { what: 'both device and token', args: ['--data', 'x', '-d', 'a', '--token', 'b'] },
    { what: 'no payload', args: ['-d', 'a'] },
    { what: 'an unknown transport', args: ['--data', 'x', '-d', 'a', '--transport', 'pigeon'] },
  ])('refuses $what', async ({ args }) => {
    expect(await run(['publish', '-p', 'p', ...args])).toMatchObject({ code: 2 })
  })
})

describe('traffic limits', () => {
  it('refuses a period that is none before it asks the node', async () => {
    const { url, seen } = await node({})
    const { code, err } = await run(['traffic', 'set', 'device', '5', '--per', '10x', '-p', 'p', '--url', url])
    expect({ code, seen }).toEqual({ code: 2, seen: [] })
    expect(err).toContain('--per 10x')
  })
})

describe('logging in', () => {
  it('remembers the session for its owner only, and later commands use it', async () => {
    const session = {
      accountID: '1',
      accountRole: 'ADMIN',
      token: 'tok',
      expireAt: '2026-01-01T00:00:00Z',
      issuer: 'w3bstream',
    }
    const { url, seen } = await node({
      [`PUT ${base}/login`]: { json: session },
      [`GET ${base}/project/datalist?size=-1`]: { json: { data: null, total: 0 } },
    })
    const env = { HOME: await directory() }
    const { code } = await run(['login', '--url', url, '--password-stdin'], { env, input: 'secret\n' })
    expect(code).toBe(0)
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({ username: 'admin', password: 'secret' })
    const file = join(env.HOME, '.config/w3bstream/credentials.json')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(await readFile(file, 'utf8')).not.toContain('secret')
    await run(['project', 'list'], { env })
    expect(seen[1]?.authorization).toBe('Bearer tok')
  })

  it('asks nobody when there is no terminal', async () => {
    expect(await run(['login'])).toMatchObject({ code: 2 })
  })
})

describe('files', () => {
  it('init makes a project file that is accepted, and does not overwrite one', async () => {
    const cwd = await directory()
    const made = await run(['init', 'weather', '--applet', 'station', '--json'], { cwd })
    expect(made.code).toBe(0)
    expect(JSON.parse(made.out).files).toContain('weather/w3bstream.yaml')
    const { readProjectFile } = await import('./project-file/read.ts')
    const file = readProjectFile(await readFile(join(cwd, 'weather/w3bstream.yaml'), 'utf8'), 'w3bstream.yaml')
    expect(file).toMatchObject({ name: 'weather', applets: [{ name: 'station', source: 'station' }] })
    expect(await run(['init', 'weather'], { cwd })).toMatchObject({ code: 1 })
  })

  it('receipt verify refuses what is no receipt', async () => {
    const cwd = await directory()
    await writeFile(join(cwd, 'a.json'), '{"format":"other"}')
    const { code, err } = await run(['receipt', 'verify', 'a.json', '--json'], { cwd })
    expect(code).toBe(1)
    expect(JSON.parse(err).error.code).toBe('RECEIPT_INVALID')
    expect(await run(['receipt', 'verify', 'missing.json'], { cwd })).toMatchObject({ code: 1 })
  })

  it('deploy lists the mistakes of the project file before it asks the node', async () => {
    const cwd = await directory()
    await writeFile(join(cwd, 'w3bstream.yaml'), 'version: 1\nnam: a\n')
    const { code, err } = await run(['project', 'deploy'], { cwd })
    expect(code).toBe(1)
    expect(err).toContain('w3bstream.yaml:2:1 nam: unknown key "nam"; did you mean "name"?')
  })
})

describe('operators', () => {
  const row = { operatorID: '7', name: 'rain', address: '0x00000000000000000000000000000000000000AA' }
  const listed = { [`GET ${base}/operator/datalist?size=-1`]: { json: { data: [row], total: 1 } } }

  it('gets a new key, another one each time, and shows the address only', async () => {
    const { url, seen } = await node({ [`POST ${base}/operator`]: { json: row } })
    const env = { W3BSTREAM_URL: url, W3BSTREAM_TOKEN: 't' }
    const runs = [await run(['operator', 'add', 'rain'], { env }), await run(['operator', 'add', 'rain'], { env })]
    const keys = seen.map(({ body }) => JSON.parse(body).privateKey as string)
    expect(new Set(keys).size).toBe(2)
    for (const key of keys) expect(key).toMatch(/^[0-9a-f]{64}$/)
    for (const { code, out, err } of runs) {
      expect({ code, out }).toEqual({ code: 0, out: `${row.address}\n` })
      for (const key of keys) expect(err).not.toContain(key)
    }
  })

  it('takes a key from standard input', async () => {
    const { url, seen } = await node({ [`POST ${base}/operator`]: { json: row } })
    const input = `0x${'11'.repeat(32)}\n`
    await run(['operator', 'add', 'rain', '--key-stdin', '--url', url, '--token', 't'], { input })
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({ name: 'rain', privateKey: input.trim() })
  })

  it('is removed by name, when told twice', async () => {
    const { url, seen } = await node({ ...listed, [`DELETE ${base}/operator/data/7`]: { status: 204, body: '' } })
    const env = { W3BSTREAM_URL: url, W3BSTREAM_TOKEN: 't' }
    expect((await run(['operator', 'remove', 'rain'], { env })).code).toBe(2)
    expect((await run(['operator', 'remove', 'other', '--yes', '--json'], { env })).err).toContain('CLI_NOT_FOUND')
    expect(seen.some(({ method }) => method === 'DELETE')).toBe(false)
    expect((await run(['operator', 'remove', 'rain', '--yes'], { env })).code).toBe(0)
    expect(seen.at(-1)?.path).toBe(`${base}/operator/data/7`)
  })
})

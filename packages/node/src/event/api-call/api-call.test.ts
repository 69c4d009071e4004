import { deriveSfid, type EffectBody, effectId, toHex } from '@w3bstream/protocol'
import { describe, expect, it, vi } from 'vitest'
import { HostFault, type Transaction } from '../../engine/engine.ts'
import { type ApiCallHost, answerApiCall } from './api-call.ts'

const project = new Uint8Array(32).fill(7)

interface Decoded {
  Status: string
  StatusCode: number
  Proto: string
  Header: Record<string, string[]> | null
  Body: string | null
}

function host(over: Partial<ApiCallHost> = {}) {
  const effects: EffectBody[] = []
  const transactions: Transaction[] = []
  const places = new Map<string, Uint8Array>()
  const at: ApiCallHost = {
    project,
    height: 5n,
    timeMs: 1000,
    outboundHosts: ['api.example.com', '*.example.org:8443'],
    nextEffect: () => 3 + effects.length,
    reserve: () => {},
    push: (body) => void effects.push(body),
    sendTransaction: async (transaction) => {
      transactions.push(transaction)
      return '0x1'
    },
    transactionPlace: (id) => places.get(id),
    putTransactionPlace: (id, place) => void places.set(id, place),
    ...over,
  }
  const raw = async (text: string | Uint8Array) => {
    const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text
    return JSON.parse(new TextDecoder().decode(await answerApiCall(bytes, at))) as Decoded
  }
  const call = async (method: string, url: string, body?: unknown, header: object = { Eventtype: ['result'] }) => {
    const text = body === undefined ? null : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
    const answer = await raw(
      JSON.stringify({ Method: method, Url: url, Header: header, Body: text?.toString('base64') }),
    )
    return { ...answer, text: Buffer.from(answer.Body ?? '', 'base64').toString() }
  }
  const system = (method: string, path: string, body?: unknown, header?: object) =>
    call(method, `w3bstream://w3bstream.com/system/${path}`, body, header)
  return { effects, transactions, raw, call, system }
}

const nothing = { Status: '', StatusCode: 400, Proto: '', Header: null, Body: null }

describe('what is no request', () => {
  it.each([
    ...[
      '',
      'x',
      '[]',
      '1',
      'null',
      '{}',
      '{"Url":1}',
      '{"Url":"ftp://a"}',
      '{"Url":"w3bstream://elsewhere/system/hello"}',
    ],
    '{"Url":"/system/hello","Header":{"a":"b"}}',
    '{"Url":"/system/hello","Header":[]}',
    '{"Url":"/system/hello","Body":5}',
    ...['aGk', 'aG k', 'a', '-_-_', '====', 'aGk=\\n'].map((body) => `{"Url":"/system/hello","Body":"${body}"}`),
    '{"Url":"/system/hello","Method":5}',
    `{"Url":"/system/hello","Header":{"a":["${'x'.repeat(20_000)}"]}}`,
    `{"Url":"/system/hello","Header":{"eventType":["${'x'.repeat(2000)}"]}}`,
  ])('%.60s', async (text) => {
    const { raw, effects } = host()
    expect(await raw(text)).toEqual(nothing)
    expect(effects).toEqual([])
  })

  it('text that is not UTF-8', async () => expect(await host().raw(Uint8Array.of(0x22, 0xff, 0x22))).toEqual(nothing))
})

describe('calls of the system', () => {
  it('greets now and later', async () => {
    const { system, effects } = host()
    const header = { eventType: ['result'], name: ['you'], 'content-type': ['text/plain'] }
    const answer = await system('GET', 'hello', undefined, header)
    expect(answer).toMatchObject({ Status: '200 OK', StatusCode: 200, Proto: 'HTTP/1.1' })
    expect(answer.Header).toEqual({
      Eventtype: ['result'],
      Name: ['you'],
      'Content-Type': ['application/json; charset=utf-8'],
    })
    expect(JSON.parse(answer.text)).toBe('{"message": "hello you"}')
    expect(effects).toMatchObject([{ kind: 'api', method: 'GET', url: '/system/hello', eventType: 'result' }])
  })

  it('does nothing without an event type, and knows no other paths or methods', async () => {
    const { system, effects } = host()
    expect(await system('GET', 'hello', undefined, {})).toMatchObject({ StatusCode: 200, Body: '' })
    for (const [method, path] of [
      ['GET', 'nothing'],
      ['POST', 'hello'],
      ['GET', 'send_tx'],
      ['GET', 'hello/async/state'],
    ] as const)
      expect(await system(method, path)).toMatchObject({ StatusCode: 404, text: '404 page not found' })
    expect(effects).toEqual([])
  })

  it('takes the path alone, and the suffix of the earlier generation', async () => {
    const { call, effects } = host()
    expect((await call('get', '/system/hello/async')).StatusCode).toBe(200)
    expect(effects).toMatchObject([{ url: '/system/hello' }])
  })

  it.each([
    ['GET', 'read_tx', { chainName: 'a', hash: '0x1' }, ['', '[]', { chainName: 'a' }, { chainName: 1, hash: '0x' }]],
    ['POST', 'gen_zk_proof', { imageID: '1, 2' }, ['no JSON', '7']],
  ] as const)('%s %s takes what it needs', async (method, path, good, bad) => {
    const { system, effects } = host()
    expect(await system(method, path, good)).toMatchObject({ StatusCode: 200, text: '' })
    expect(effects).toMatchObject([
      { method, url: `/system/${path}`, body: new Uint8Array(Buffer.from(JSON.stringify(good))) },
    ])
    for (const body of bad) {
      const answer = await system(method, path, body)
      expect(answer.StatusCode).toBe(400)
      expect(JSON.parse(answer.text)).toEqual({ error: expect.any(String) })
    }
    expect(effects).toHaveLength(1)
  })
})

describe('/system/send_tx', () => {
  const body = { chainName: 'local', to: '0x11', value: '5', data: '0x', operatorName: 'second' }
  const transactionID = deriveSfid(project, 'transaction', 5n, 3)

  it('answers with an id that follows from the history, and promises the end', async () => {
    const { system, effects, transactions } = host()
    const answer = await system('POST', 'send_tx', body)
    expect([answer.StatusCode, JSON.parse(answer.text)]).toEqual([200, { transactionID }])
    expect(transactions).toEqual([{ ...body, chainId: 0n, value: 5n }])
    const [effect] = effects as Extract<EffectBody, { kind: 'api' }>[]
    expect(JSON.parse(new TextDecoder().decode(effect!.body))).toEqual({
      transactionID,
      effect: toHex(effectId(project, 5n, 3)),
      untilMs: 7_201_000,
    })
  })

  it('asks for the end of what was sent, and of nothing else', async () => {
    const places: string[] = []
    const { system, effects } = host({
      transactionPlace: (id) => {
        places.push(id)
        return id === '7' ? Buffer.from('{"height":"4","effect":"0x0a"}') : undefined
      },
    })
    const asked = async (id: unknown) => (await system('POST', 'send_tx/async/state', { transactionID: id })).StatusCode
    const long = '9'.repeat(10_000)
    expect([await asked('7'), await asked('8'), await asked(long), await asked('')]).toEqual([200, 200, 200, 400])
    const bodies = effects.map((effect) => JSON.parse(new TextDecoder().decode((effect as { body: Uint8Array }).body)))
    expect(bodies).toEqual([
      { transactionID: '7', height: '4', effect: '0x0a', untilMs: 7_201_000 },
      { transactionID: '8', untilMs: 7_201_000 },
      { transactionID: long, untilMs: 7_201_000 },
    ])
    expect(places).toEqual(['7', '8'])
  })

  it('puts the place of what was sent into the state', async () => {
    const places: unknown[] = []
    const { system } = host({
      putTransactionPlace: (id, place) => places.push([id, JSON.parse(new TextDecoder().decode(place))]),
    })
    await system('POST', 'send_tx', body)
    expect(places).toEqual([[transactionID, { height: '5', effect: toHex(effectId(project, 5n, 3)) }]])
  })

  it('tells later why a transaction cannot be sent, and at once that there is no such chain', async () => {
    const refusing = (text: string) => host({ sendTransaction: () => Promise.reject(new HostFault('Chain', text)) })
    const unable = refusing('TX_ESTIMATE_FAILED chain=local')
    expect((await unable.system('POST', 'send_tx', body)).StatusCode).toBe(200)
    const [effect] = unable.effects as Extract<EffectBody, { kind: 'api' }>[]
    expect(JSON.parse(new TextDecoder().decode(effect!.body))).toMatchObject({
      transactionID,
      error: 'TX_ESTIMATE_FAILED chain=local',
    })
    const unknown = refusing('CHAIN_NOT_FOUND chain=local')
    expect(await unknown.system('POST', 'send_tx', body)).toMatchObject({
      StatusCode: 400,
      text: '{"error":"blockchain not exist"}',
    })
    expect(unknown.effects).toEqual([])
  })

  it.each([
    { ...body, chainName: '' },
    { ...body, data: undefined },
    { ...body, value: '0.001' },
    { ...body, value: '-1' },
    'x',
  ])('refuses %j', async (wrong) => {
    const { system, transactions } = host()
    expect((await system('POST', 'send_tx', wrong)).StatusCode).toBe(400)
    expect(transactions).toEqual([])
  })

  it('signs nothing when the promise would not fit', async () => {
    const reserve = vi.fn(() => {
      throw new HostFault('Limit', 'full')
    })
    const { system, transactions } = host({ reserve })
    await expect(system('POST', 'send_tx', body)).rejects.toThrow('full')
    expect(transactions).toEqual([])
  })
})

describe('calls of the web', () => {
  it('are taken for hosts of the settings only', async () => {
    const { call, effects } = host()
    const taken = ['https://api.example.com/a?b=c', 'https://API.example.com', 'https://a.b.example.org:8443/']
    for (const url of taken) expect(await call('POST', url, 'x')).toMatchObject({ Status: '202 Accepted', text: '' })
    expect(effects).toMatchObject(
      taken.map((url) => ({ kind: 'api', method: 'POST', url, body: new Uint8Array(Buffer.from('x')) })),
    )
    for (const url of [
      'http://api.example.com/',
      'https://example.org:8443',
      'https://api.example.com:444',
      'https://127.0.0.1',
    ])
      expect(await call('GET', url)).toMatchObject({
        Status: '403 Forbidden',
        text: expect.stringContaining('outboundHosts'),
      })
    expect(effects).toHaveLength(3)
  })

  it.each([
    ['GET', 'https://', {}],
    ['GET', 'https://user:secret@api.example.com/', {}],
    ['GET', 'https://api.example.com:0/', {}],
    ['GET', 'https://api.example.com/ü', {}],
    ['GET', 'https://api.example.com/a b', {}],
    ['GET', 'https://2130706433/', {}],
    ['GET', 'https://0x7f.0.0.1/', {}],
    ['GET', 'https:\\\\api.example.com/', {}],
    ['TRACE', 'https://api.example.com/', {}],
    ['CONNECT', 'https://api.example.com/', {}],
    ['GET', 'https://api.example.com/', { Host: ['other'] }],
    ['GET', 'https://api.example.com/', { 'idempotency-key': ['1'] }],
    ['GET', 'https://api.example.com/', { 'Transfer-Encoding': ['chunked'] }],
    ['GET', 'https://api.example.com/', { 'X-A': ['a\r\nHost: b'] }],
    ['GET', 'https://api.example.com/', { 'X A': ['a'] }],
  ])('are refused when they are wrong: %s %s %j', async (method, url, header) => {
    const { call, effects } = host()
    expect((await call(method, url, undefined, { Eventtype: ['r'], ...header })).StatusCode).toBe(400)
    expect(effects).toEqual([])
  })

  it('may have the prefix of the published kit', async () => {
    const { call, effects } = host()
    await call('GET', 'w3bstream://w3bstream.comhttps://api.example.com/a')
    expect(effects).toMatchObject([{ url: 'https://api.example.com/a' }])
  })

  it('want an event type, and no body with GET', async () => {
    const { call } = host()
    expect((await call('GET', 'https://api.example.com/', undefined, {})).StatusCode).toBe(400)
    expect((await call('GET', 'https://api.example.com/', 'x')).StatusCode).toBe(400)
  })
})

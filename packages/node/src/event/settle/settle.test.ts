import { type EffectBody, encodeEffectBody, encodeMessage, type Message, type ProjectKey } from '@w3bstream/protocol'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ChainError } from '../../chain/errors.ts'
import type { EffectState, OutboxRow } from '../../database/database.ts'
import { ApiError } from '../../endpoint/api-error.ts'
import { MqttError } from '../../endpoint/mqtt/errors.ts'
import { OutboundError } from '../../outbound/errors.ts'
import type { Outbound, OutboundRequest } from '../../outbound/outbound.ts'
import { ProvingError } from '../../proving/errors.ts'
import { silentLogger } from '../../telemetry/logger.ts'
import { createMetrics } from '../../telemetry/metrics.ts'
import { ProjectMetrics } from './project-metrics.ts'
import { Settle, type SettleDeps } from './settle.ts'
import { TransactionEnds } from './transaction-ends.ts'
import { WebRequests } from './web-request.ts'

const project = '0x01' as ProjectKey
const hash = '0x11'

function unused(): never {
  throw new Error('not asked for here')
}

function row(body: EffectBody, over: Partial<OutboxRow> = {}): OutboxRow {
  const index = over.index ?? 0
  const fixed = {
    height: 1n,
    messageIndex: 0,
    local: '',
    state: 'INIT',
    attempts: 0,
    detail: '',
    updatedMs: 0,
  } as const
  const id = new Uint8Array(32).fill(0xa0 + index)
  return { ...fixed, index, id, kind: body.kind, body: encodeEffectBody(body), ...over }
}

function call(method: string, url: string, body: unknown = '', header: Record<string, string[]> = {}): EffectBody {
  const bytes = new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body))
  return { kind: 'api', method, url, header: { Eventtype: ['result'], ...header }, body: bytes, eventType: 'result' }
}

interface AnswerPayload {
  Status: string
  StatusCode: number
  Header: Record<string, string[]>
  Body?: string
}

/** A settle whose outbox is a list; what stands outside is given. */
class Bench {
  readonly submitted: Message[] = []
  readonly states: string[] = []
  readonly rows: OutboxRow[] = []
  readonly registry = createMetrics()
  readonly settle: Settle

  constructor(over: Partial<SettleDeps> & { outbound?: Outbound } = {}) {
    const { outbound = { send: unused }, ...deps } = over
    this.settle = new Settle({
      dispatch: unused,
      publishMqtt: unused,
      chains: { readTransaction: unused },
      prover: undefined,
      web: new WebRequests(outbound, this.registry),
      outboundHosts: async () => ['api.example.com'],
      reader: async () => ({
        outbox: async ({ kind, height }) => {
          const data = this.rows.filter((one) => one.kind === kind && (height ?? one.height) === one.height).reverse()
          return { data, total: data.length }
        },
        outboxPending: async () => this.rows,
        messages: async () => [],
      }),
      updateOutbox: async (_, [change]) => void this.states.push(change?.state ?? `attempt ${change?.attempts}`),
      submit: async (_, message) => void this.submitted.push(message),
      onSettled() {},
      metrics: new ProjectMetrics(this.registry),
      ownerOf: () => ({ account: '8', project: 'aid_8_a' }),
      now: () => 5,
      logger: silentLogger,
      ...deps,
    })
  }

  async begin(...bodies: EffectBody[]): Promise<void> {
    const rows = bodies.map((body, index) => row(body, { index: this.rows.length + index }))
    this.rows.push(...rows)
    await this.settle.resume(project, rows)
    this.settle.open()
  }

  /** The answers that entered the history. */
  async answers(count = 1): Promise<(AnswerPayload & { json: unknown })[]> {
    await vi.waitUntil(() => this.submitted.length >= count)
    return this.submitted.map(({ payload }) => {
      const answer = JSON.parse(new TextDecoder().decode(payload)) as AnswerPayload
      const text = Buffer.from(answer.Body ?? '', 'base64').toString()
      return { ...answer, json: text && JSON.parse(text) }
    })
  }
}

describe('the end of a transaction', () => {
  it.each([
    { outcome: { state: 'CONFIRMED', hash, blockNumber: 2n ** 60n }, told: { blockNumber: '1152921504606846976' } },
    { outcome: { state: 'FAILED', hash, detail: 'reverted' }, told: { detail: 'reverted' } },
  ] as const)('becomes a message of the history: $outcome.state', async ({ outcome, told }) => {
    const bench = new Bench()
    const effect = new Uint8Array(32).fill(0xab)
    await bench.settle.transactionEnded(project, effect, outcome)
    expect(bench.submitted).toMatchObject([{ kind: 'answer', eventType: '', receivedMs: 5 }])
    const payload = JSON.parse(new TextDecoder().decode(bench.submitted[0]?.payload))
    expect(payload).toEqual({ effectId: `0x${'ab'.repeat(32)}`, state: outcome.state, hash, ...told })
  })
})

describe('an effect', () => {
  afterEach(() => vi.useRealTimers())

  /** Publishes end as told, one after the other; the last outcome stays. */
  function publishing(...outcomes: (Error | undefined)[]) {
    const publishMqtt = vi.fn(async () => {
      const outcome = outcomes.length > 1 ? outcomes.shift() : outcomes[0]
      if (outcome) throw outcome
    })
    const bench = new Bench({ publishMqtt })
    void bench.settle.resume(project, [row({ kind: 'mqtt', topic: 't', payload: new Uint8Array(1) })])
    return { settle: bench.settle, states: bench.states, publishMqtt }
  }

  it('waits until the endpoints stand', async () => {
    const { settle, states, publishMqtt } = publishing(undefined)
    expect(publishMqtt).not.toHaveBeenCalled()
    settle.open()
    await vi.waitUntil(() => states.length > 0)
    expect(states).toEqual(['CONFIRMED'])
  })

  it('is tried again after a rest, until it succeeds', async () => {
    vi.useFakeTimers()
    const { settle, states } = publishing(new Error('away'), new ApiError('MailboxFull'), undefined)
    settle.open()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(states).toEqual(['attempt 1', 'attempt 2', 'CONFIRMED'])
  })

  it.each([new MqttError({ code: 'MQTT_TOPIC', topic: '#', detail: 'a filter' }), new ApiError('ProjectNotFound')])(
    'has failed when trying again is no use: %s',
    async (error) => {
      const { settle, states } = publishing(error)
      settle.open()
      await vi.waitUntil(() => states.length > 0)
      expect(states).toEqual(['FAILED'])
    },
  )

  it('stays in the outbox when the node stops', async () => {
    vi.useFakeTimers()
    const { settle, states, publishMqtt } = publishing(new Error('away'))
    settle.open()
    await vi.advanceTimersByTimeAsync(10)
    settle.close()
    await vi.advanceTimersByTimeAsync(200_000)
    expect(states).toEqual(['attempt 1'])
    expect(publishMqtt).toHaveBeenCalledTimes(1)
  })

  it('that is damaged has failed', async () => {
    const bench = new Bench()
    const damaged = { ...row(call('GET', '/system/hello')), body: Uint8Array.of(2, 1) }
    await bench.settle.resume(project, [damaged])
    bench.settle.open()
    await vi.waitUntil(() => bench.states.length > 0)
    expect(bench.states).toEqual(['FAILED'])
  })
})

describe('calls of the system', () => {
  it('greet', async () => {
    const bench = new Bench()
    await bench.begin(call('GET', '/system/hello', '', { Name: ['you'], 'Content-Type': ['x'] }))
    const [answer] = await bench.answers()
    expect(answer).toMatchObject({ Status: '200 OK', json: '{"async message": "hello you"}' })
    expect(answer!.Header).toEqual({
      Eventtype: ['result'],
      Name: ['you'],
      'Content-Type': ['application/json; charset=utf-8'],
    })
    const [{ eventType, eventId, idempotencyKey }] = bench.submitted as [Message]
    expect([eventType, idempotencyKey]).toEqual(['result', `effect:0x${'a0'.repeat(32)}`])
    expect(eventId).toMatch(/^[0-9a-f-]{36}_monitor$/)
    await vi.waitUntil(() => bench.states.length > 0)
    expect(bench.states).toEqual(['CONFIRMED'])
  })

  it('read transactions, and say why not', async () => {
    const readTransaction = vi.fn(async () => ({ hash }) as unknown)
    const bench = new Bench({ chains: { readTransaction } })
    await bench.begin(call('GET', '/system/read_tx', { chainName: 'local', hash }))
    expect((await bench.answers())[0]).toMatchObject({ StatusCode: 200, json: { transaction: { hash } } })
    const fault = { code: 'CHAIN_UNSUPPORTED', chain: 'solana-devnet', wanted: 'another' } as const
    readTransaction.mockRejectedValueOnce(new ChainError(fault))
    await bench.begin(call('GET', '/system/read_tx', { chainName: 'solana-devnet', hash }))
    const last = (await bench.answers(2)).at(-1)
    expect(last).toMatchObject({
      StatusCode: 500,
      json: { error: 'CHAIN_UNSUPPORTED chain=solana-devnet wanted=another' },
    })
  })

  it('ask the prover, and say that there is none', async () => {
    const body = { imageID: '1, 2', privateInput: 'a', publicInput: { b: 1 }, receiptType: 'Snark' }
    const prove = vi.fn(async () => 'the proof')
    const bench = new Bench({ prover: { prove } })
    await bench.begin(call('POST', '/system/gen_zk_proof', body))
    expect((await bench.answers())[0]).toMatchObject({ StatusCode: 200, json: { receipt: 'the proof' } })
    expect(prove).toHaveBeenCalledWith(
      { imageId: '1, 2', privateInput: 'a', publicInput: '{"b":1}', receiptType: 'Snark' },
      expect.anything(),
    )
    const without = new Bench()
    await without.begin(call('POST', '/system/gen_zk_proof', body))
    expect((await without.answers())[0]).toMatchObject({ StatusCode: 500, json: { error: 'PROVER_NONE' } })
  })

  it.each([
    [
      new ProvingError({ code: 'PROVER_UNREACHABLE', detail: 'connect ECONNREFUSED 10.0.0.7:4000' }),
      'PROVER_UNREACHABLE',
    ],
    [new Error('/var/lib/w3bstream/projects/a.db is malformed'), 'InternalServerError'],
  ])('tell applets nothing of the node: %s', async (error, told) => {
    const bench = new Bench({ prover: { prove: () => Promise.reject(error) } })
    await bench.begin(call('POST', '/system/gen_zk_proof', {}))
    expect((await bench.answers())[0]).toMatchObject({ StatusCode: 500, json: { error: told } })
  })

  it('keep an answer that the project cannot take yet, and ask nobody again', async () => {
    vi.useFakeTimers()
    const submitted: Message[] = []
    const outcomes = [new ApiError('MailboxFull'), new ApiError('MailboxFull')]
    const readTransaction = vi.fn(async () => ({}))
    const submit = async (_: ProjectKey, message: Message) => {
      const error = outcomes.shift()
      if (error) throw error
      submitted.push(message)
    }
    const bench = new Bench({ chains: { readTransaction }, submit })
    await bench.begin(call('GET', '/system/read_tx', { chainName: 'a', hash }))
    await vi.advanceTimersByTimeAsync(10_000)
    vi.useRealTimers()
    expect([submitted.length, readTransaction.mock.calls.length]).toEqual([1, 1])
  })
})

describe('/system/send_tx', () => {
  const effect = `0x${'a0'.repeat(32)}`
  const transaction = (state: EffectState) =>
    row({ kind: 'metric', json: '1' }, { kind: 'transaction', state, index: 0 })
  const promise = (untilMs = Date.now() + 10_000) =>
    row(call('POST', '/system/send_tx', { transactionID: '7', effect, untilMs }), { index: 1 })

  async function waiting(...rows: OutboxRow[]): Promise<Bench> {
    const bench = new Bench({ dispatch() {} })
    bench.rows.push(...rows)
    await bench.settle.resume(project, rows)
    bench.settle.open()
    return bench
  }

  it.each(['CONFIRMED', 'FAILED'] as const)('tells the end when it comes: %s', async (state) => {
    const bench = await waiting(transaction('PENDING'), promise())
    await bench.settle.transactionEnded(project, new Uint8Array(32).fill(0xa0), { state, hash })
    await vi.waitUntil(() => bench.submitted.length === 2)
    expect((await bench.answers(2))[1]).toMatchObject({ StatusCode: 200, json: { transactionID: '7', state } })
    expect(bench.submitted[1]!.idempotencyKey).toBe(`effect:0x${'a1'.repeat(32)}`)
  })

  it('finds an end that came before a restart', async () => {
    const bench = await waiting(transaction('CONFIRMED'), promise())
    expect((await bench.answers())[0]!.json).toEqual({ transactionID: '7', state: 'CONFIRMED' })
  })

  it('waits no longer than two hours', async () => {
    const bench = await waiting(transaction('PENDING'), promise(Date.now() - 1))
    expect((await bench.answers())[0]!.json).toEqual({ transactionID: '7', timeout: true })
  })

  it.each([[[]], [[transaction('CONFIRMED')]]])(
    'is waited for no longer after the signal, whenever it comes',
    async (rows) => {
      const ends = new TransactionEnds()
      const stop = new AbortController()
      const reading = Promise.withResolvers<void>()
      const outbox = { outbox: () => reading.promise.then(() => ({ data: rows, total: rows.length })) }
      const place = { height: 1n, effect } as const
      const early = ends.wait(outbox, place, Date.now() + 10_000, stop.signal)
      stop.abort()
      reading.resolve()
      if (rows.length === 0) await expect(early).rejects.toThrow('aborted')
      else expect(await early).toEqual({ state: 'CONFIRMED' })
      await expect(ends.wait(outbox, place, Date.now() + 10_000, stop.signal)).rejects.toThrow('aborted')
    },
  )

  it('tells what could not be signed', async () => {
    const bench = new Bench()
    await bench.begin(call('POST', '/system/send_tx', { transactionID: '7', error: 'TX_INVALID' }))
    expect((await bench.answers())[0]!.json).toEqual({ transactionID: '7', state: 'FAILED', error: 'TX_INVALID' })
  })

  it('tells the state of another call’s transaction, if there is one', async () => {
    const asked = (told: object) => call('POST', '/system/send_tx/async/state', told)
    const bench = await waiting(transaction('CONFIRMED'))
    const place = { height: '1', effect, untilMs: Date.now() + 10_000 }
    await bench.settle.resume(project, [
      row(asked({ transactionID: '7', ...place }), { index: 2 }),
      row(asked({ transactionID: '8' }), { index: 3 }),
    ])
    const answers = await bench.answers(2)
    expect(answers.map(({ json }) => json)).toEqual(
      expect.arrayContaining([{ transactionID: '7', state: 'CONFIRMED' }, { error: 'no transaction 8' }]),
    )
  })
})

describe('requests to the web', () => {
  afterEach(() => vi.useRealTimers())

  const body = new TextEncoder().encode('{"a":1}')
  const answered = (status: number, header: Record<string, string[]> = {}) => ({
    status,
    statusText: 'Text',
    header,
    body,
  })

  /** Requests are answered as told, one after the other; the last outcome stays. */
  function web(...outcomes: (Error | ReturnType<typeof answered>)[]) {
    const sent: OutboundRequest[] = []
    const send = async (request: OutboundRequest) => {
      sent.push(request)
      const outcome = outcomes.length > 1 ? outcomes.shift()! : outcomes[0]!
      if (outcome instanceof Error) throw outcome
      return outcome
    }
    return { bench: new Bench({ outbound: { send } }), sent }
  }
  const unreachable = new OutboundError({ code: 'OUTBOUND_UNREACHABLE', host: 'a', detail: 'refused' })
  const broken = new OutboundError({ code: 'OUTBOUND_BROKEN', host: 'a', detail: 'reset' })

  it('come back in the form of the other answers', async () => {
    const { bench, sent } = web(answered(418, { 'content-type': ['text/x'], 'x-own': ['1'] }))
    await bench.begin(call('POST', 'https://api.example.com/a', 'x', { 'Content-Type': ['y'], 'X-Asked': ['2'] }))
    expect((await bench.answers())[0]).toMatchObject({
      Status: '418 Text',
      StatusCode: 418,
      Header: { Eventtype: ['result'], 'X-Asked': ['2'], 'Content-Type': ['text/x'], 'X-Own': ['1'] },
      json: { a: 1 },
    })
    expect(sent).toMatchObject([
      { method: 'POST', header: { 'Content-Type': ['y'], 'X-Asked': ['2'] }, idempotencyKey: `0x${'a0'.repeat(32)}` },
    ])
    expect([sent[0]!.header.Eventtype, sent[0]!.allows('api.example.com', 443), sent[0]!.allows('other', 443)]).toEqual(
      [undefined, true, false],
    )
  })

  it.each([
    ['POST', [unreachable, answered(200)], 2, 200],
    ['GET', [broken, answered(200)], 2, 200],
    ['POST', [broken], 1, 502],
    ['PUT', [answered(503), answered(429, { 'retry-after': ['1'] }), answered(200)], 3, 200],
    ['POST', [answered(503)], 1, 503],
    ['GET', [answered(503)], 5, 503],
    ['GET', [answered(503, { 'retry-after': ['100000'] })], 1, 503],
    ['GET', [unreachable], 5, 502],
    ['GET', [new OutboundError({ code: 'OUTBOUND_TIMEOUT', host: 'a', limitMs: 1 })], 1, 504],
    ['GET', [new OutboundError({ code: 'OUTBOUND_ADDRESS', host: 'a' })], 1, 403],
    ['GET', [new OutboundError({ code: 'OUTBOUND_TOO_LARGE', host: 'a', limit: 1 })], 1, 502],
  ] as const)('%s: %s is made %d times, then %d', async (method, outcomes, times, status) => {
    vi.useFakeTimers()
    const { bench, sent } = web(...outcomes)
    await bench.begin(call(method, 'https://api.example.com/'))
    await vi.advanceTimersByTimeAsync(300_000)
    vi.useRealTimers()
    expect((await bench.answers())[0]!.StatusCode).toBe(status)
    expect(sent).toHaveLength(times)
    expect(new Set(sent.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1)
    expect(bench.states.at(-1)).toBe(outcomes.at(-1) instanceof Error ? 'FAILED' : 'CONFIRMED')
    const counted = await bench.registry.getSingleMetric('w3b_outbound_requests_total')!.get()
    expect(counted.values.reduce((sum, { value }) => sum + value, 0)).toBe(times)
  })
})

describe('metrics of applets', () => {
  it('become series at the commit', async () => {
    const bench = new Bench()
    const metric = row({ kind: 'metric', json: '{"t":1}' }, { messageIndex: 3 })
    const rest = {
      receiptsRoot: metric.id,
      effectsRoot: metric.id,
      stateDigest: metric.id,
      receipts: metric.id,
      ends: new Uint32Array(),
    }
    const batch = { height: 1n, effects: [metric], definitionChanges: [], logs: 0, flowWakeMs: undefined, ...rest }
    bench.settle.committed(project, batch, (index) => `d${index}`)
    await vi.waitUntil(() => bench.states.length > 0)
    expect(bench.states).toEqual(['CONFIRMED'])
    expect(await bench.registry.metrics()).toContain('publisher="d3",name="t"} 1')
    bench.settle.forget(project)
    expect(await bench.registry.metrics()).not.toContain('name="t"')
  })

  it('are taken up after a crash with the device of their message', async () => {
    const message = { publisherKey: 'd9' } as Message
    const stored = encodeMessage({
      ...message,
      kind: 'data',
      receivedMs: 1,
      nonce: new Uint8Array(0),
      origin: { type: 'vouched' },
      publisherId: '',
      eventType: '',
      eventId: '',
      timestampMs: 1,
      topic: '',
      idempotencyKey: '',
      payload: new Uint8Array(0),
    })
    const messages = async () => [{ message: stored.slice() }] as never
    const bench = new Bench({ reader: async () => ({ messages, outbox: unused, outboxPending: unused }) })
    await bench.settle.resume(project, [row({ kind: 'metric', json: '2' })])
    expect(await bench.registry.metrics()).toContain('publisher="d9",name="value"} 2')
  })
})

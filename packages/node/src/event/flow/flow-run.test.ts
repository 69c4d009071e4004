import { describe, expect, it } from 'vitest'
import { HostFault } from '../../engine/engine.ts'
import type { Flow, FlowOperator, FlowSink } from '../../project/flow.ts'
import { flowLimits } from './limits.ts'
import { BenchFlow, type Operator } from './testing/bench-flow.ts'

const sink: FlowSink = { sinkType: 'EVENT', sinkInfo: { event: { eventType: 'OUT' } } }
const flowOf = (...operators: FlowOperator[]): Flow => ({ source: { strategies: ['A'] }, operators, sink })
const op = (opType: FlowOperator['opType'], wasmFunc: string): FlowOperator => ({ opType, wasmFunc })
const tumbling = (sizeMs = 100): FlowOperator => ({
  opType: 'WINDOW',
  window: { kind: 'tumbling', sizeMs, latenessMs: 0 },
})

const operators: Record<string, Operator> = {
  even: (text) => (Number(text) % 2 === 0 ? 'TrUe' : 'False'),
  unsure: () => 'maybe',
  double: (text) => `${Number(text) * 2}`,
  words: (text) => JSON.stringify(text.split(' ')),
  mixed: () => '["a", 1.5, {"b": [null]}, true]',
  framed: () => new Uint8Array([0, 1, 0, 0, 0, 120, 0, 0, 0, 0]),
  cut: () => new Uint8Array([0, 9, 0, 0, 0, 120]),
  many: () => JSON.stringify(Array.from({ length: flowLimits.flatMapElements + 1 }, () => 1)),
  self: (text) => text,
  long: () => 'k'.repeat(flowLimits.groupKeyBytes + 1),
  bytes: () => new Uint8Array([0xff, 0xfe]),
  negative: () => -3,
  nothing: () => 5,
  trap: (text) => (text.includes('trap') ? new Error('unreachable') : text),
  join: (text, acc) => (acc === null ? text : `${acc},${text}`),
  pick: (text, acc) => (text === 'no' ? -1 : (acc ?? '') + text),
  trapAfter: (text, acc) => (acc?.includes('trap') ? new Error('unreachable') : (acc ?? '') + text),
  huge: () => 'x'.repeat(flowLimits.elementBytes + 1),
}

async function through(flow: Flow, ...payloads: string[]): Promise<BenchFlow> {
  const bench = new BenchFlow(flow, operators)
  for (const payload of payloads) await bench.event(payload, 10, 10)
  return bench
}

describe('operators', () => {
  it('filter, map and flat-map single events', async () => {
    const flow = flowOf(op('FLATMAP', 'words'), op('FILTER', 'even'), op('MAP', 'double'))
    const bench = new BenchFlow(flow, operators)
    const report = await bench.event('1 2 3 4', 0)
    expect(bench.results).toEqual(['4', '8'])
    expect(report).toMatchObject({ failed: false, late: 0, dropped: 0, wakeMs: undefined })
    expect(report.results.map(({ handler, code, fuel }) => [handler, code, fuel])).toEqual([
      ['words', 0, 10n],
      ['even', 0, 40n],
      ['double', 0, 20n],
    ])
  })

  it('take the elements of FLATMAP from JSON or from frames, and refuse what is neither', async () => {
    expect((await through(flowOf(op('FLATMAP', 'mixed')), '')).results).toEqual(['a', '1.5', '{"b":[null]}', 'true'])
    expect((await through(flowOf(op('FLATMAP', 'framed')), '')).results).toEqual(['x', ''])
    for (const [name, note] of [
      ['cut', 'cut: the element at byte 1 is cut off; the element is dropped'],
      ['self', 'self: the answer is not JSON; the element is dropped'],
      ['many', 'many: 1001 elements, at most 1000; the element is dropped'],
    ] as const) {
      const bench = await through(flowOf(op('FLATMAP', name)), '{')
      expect(bench.results).toEqual([])
      expect(bench.notes).toEqual([note])
    }
  })

  it('drop an element with a log line when they refuse it or answer with nothing', async () => {
    for (const [type, name, note] of [
      ['MAP', 'negative', 'negative returned -3; the element is dropped'],
      ['MAP', 'nothing', 'nothing returned 5, which is no resource; the element is dropped'],
      ['FILTER', 'unsure', 'unsure answered neither true nor false; the element is dropped'],
    ] as const) {
      const bench = await through(flowOf(op(type, name)), '1')
      expect(bench.results).toEqual([])
      expect(bench.notes).toEqual([note])
    }
  })

  it('put elements whose key is refused, too long or no text into the group "error"', async () => {
    for (const name of ['negative', 'nothing', 'long', 'bytes']) {
      const flow: Flow = { ...flowOf(tumbling(), op('GROUP', name)), sink: mqtt('{$group}') }
      const bench = await through(flow, 'x')
      await bench.timer(100)
      expect(bench.results).toEqual(['["error","x"]'])
      expect(bench.notes).toHaveLength(1)
    }
  })

  it('leave what REDUCE has when it refuses an element', async () => {
    const bench = await through(flowOf(tumbling(), op('REDUCE', 'pick')), 'no', 'a', 'no', 'b')
    await bench.timer(100)
    expect(bench.results).toEqual(['ab'])
  })

  it('run behind REDUCE on what it came to', async () => {
    const flow = flowOf(tumbling(), op('REDUCE', 'join'), op('FLATMAP', 'words'), op('FILTER', 'even'))
    const bench = await through(flow, '1 2', '3 4 6')
    await bench.timer(100)
    expect(bench.results).toEqual(['4', '6'])
  })
})

const mqtt = (topic: string): FlowSink => ({ sinkType: 'MQTT', sinkInfo: { mqtt: { topic } } })

describe('an operator that fails', () => {
  it('undoes the way of its event, and only that', async () => {
    const bench = new BenchFlow(
      flowOf(op('FLATMAP', 'words'), tumbling(), op('MAP', 'trap'), op('REDUCE', 'join')),
      operators,
    )
    await bench.event('a', 10)
    const report = await bench.event('b trap', 11)
    expect(report.failed).toBe(true)
    expect(report.results.at(-1)).toMatchObject({ handler: 'trap', code: -1, error: 'TRAP', message: 'unreachable' })
    await bench.event('c', 12)
    await bench.timer(100)
    expect(bench.results).toEqual(['a,c'])
  })

  it('at the end of a window takes that window along, not others and not the event', async () => {
    const flow = flowOf(tumbling(), op('GROUP', 'self'), op('REDUCE', 'join'), op('MAP', 'trap'))
    const bench = new BenchFlow(flow, operators)
    for (const text of ['a', 'trap', 'z']) await bench.event(text, 10)
    const report = await bench.event('later', 150)
    expect(report.failed).toBe(true)
    expect(bench.results).toEqual(['a', 'z'])
    const after = await bench.timer(300)
    expect(bench.results).toEqual(['a', 'z', 'later'])
    expect(after).toMatchObject({ failed: false, wakeMs: undefined })
  })

  it('gets no more fuel than one handler call, together with the others of its unit', async () => {
    const bench = new BenchFlow(flowOf(op('FLATMAP', 'words'), op('MAP', 'self')), operators)
    bench.fuel = 10_000
    bench.fuelPerRun = 4000n
    expect((await bench.event('one', 0)).failed).toBe(false)
    const report = await bench.event('one two three', 0)
    expect(report.results.at(-1)).toMatchObject({ handler: 'self', error: 'FUEL_LIMIT' })
    expect(bench.results).toEqual(['one'])
  })

  it('does not stop a session from ending', async () => {
    const session: FlowOperator = { opType: 'WINDOW', window: { kind: 'session', gapMs: 10, latenessMs: 0 } }
    const bench = new BenchFlow(flowOf(session, op('REDUCE', 'trapAfter')), operators)
    await bench.event('trap', 0)
    await bench.event('x', 5)
    expect((await bench.timer(20)).failed).toBe(true)
    expect(await bench.timer(30)).toMatchObject({ failed: false, results: [], wakeMs: undefined })
  })
})

describe('what a flow keeps', () => {
  it('is bounded in windows', async () => {
    const bench = new BenchFlow(
      flowOf(op('FLATMAP', 'words'), tumbling(), op('GROUP', 'self'), op('REDUCE', 'join')),
      operators,
    )
    for (let round = 0; round < 11; round++) {
      const keys = Array.from({ length: 1000 }, (_, i) => `k${round * 1000 + i}`)
      const { dropped } = await bench.event(keys.join(' '), 10)
      expect(dropped).toBe(round < 10 ? 0 : 1000)
    }
    expect(bench.notes[0]).toBe(`an element is dropped: more than ${flowLimits.openWindows} open windows`)
    expect(bench.notes.length).toBeLessThanOrEqual(flowLimits.logLines)
    for (let round = 0; round < 10; round++) await bench.timer(200)
    expect(bench.results).toHaveLength(flowLimits.openWindows)
    expect(await bench.timer(200)).toMatchObject({ wakeMs: undefined })
  })

  it('is bounded in elements of a window, and in bytes', async () => {
    const bench = new BenchFlow(flowOf(op('FLATMAP', 'words'), tumbling()), operators)
    for (let round = 0; round < 11; round++) {
      const { dropped } = await bench.event(Array.from({ length: 1000 }, () => 'x').join(' '), 10)
      expect(dropped).toBe(round < 10 ? 0 : 1000)
    }
    const big = new BenchFlow(flowOf(tumbling()), operators)
    expect(await big.event('x'.repeat(flowLimits.elementBytes + 1), 10)).toMatchObject({ dropped: 1 })
    for (let i = 0; i < 1024; i++) await big.event('x'.repeat(flowLimits.elementBytes), 10)
    expect(big.notes.at(-1)).toBe(`an element is dropped: the flow would keep more than ${flowLimits.stateBytes} bytes`)
  })

  it('does not take what REDUCE makes too large', async () => {
    const bench = await through(flowOf(tumbling(), op('REDUCE', 'huge')), 'x')
    expect(bench.notes).toEqual(['huge: 65537 bytes accumulated, at most 65536; the element is dropped'])
    expect(await bench.timer(100)).toMatchObject({ wakeMs: undefined })
    expect(bench.results).toEqual([])
  })

  it('goes when the flow is changed or removed, and stays when only what follows REDUCE is', async () => {
    const bench = await through(flowOf(tumbling(), op('REDUCE', 'join')), 'a', 'b')
    bench.use({ ...flowOf(tumbling(), op('REDUCE', 'join'), op('MAP', 'self')), sink: mqtt('x') })
    await bench.event('c', 11)
    bench.use(flowOf(tumbling(50), op('REDUCE', 'join')))
    expect(await bench.event('d', 12)).toMatchObject({ wakeMs: 50 })
    expect(bench.notes).toEqual(['the flow was changed: 1 open windows are dropped'])
    await bench.timer(100)
    expect(bench.results).toEqual(['d'])
    await bench.event('e', 110)
    bench.use({})
    await bench.timer(110)
    expect([...bench.store.rows.keys()]).toEqual(['flow meta'])
    bench.use(flowOf(tumbling(50), op('REDUCE', 'join')))
    await bench.event('f', 112)
    await bench.timer(1000)
    expect(bench.results).toEqual(['d', 'f'])
  })

  it('is removed bit by bit when there is much of it', async () => {
    const bench = new BenchFlow(flowOf(op('FLATMAP', 'words'), tumbling(), op('GROUP', 'self')), operators)
    await bench.event(Array.from({ length: 900 }, (_, i) => `${i}`).join(' '), 10)
    bench.use({})
    const { wakeMs } = await bench.timer(11)
    expect(wakeMs).toBe(11)
    expect(await bench.timer(12)).toMatchObject({ wakeMs: undefined })
    expect(bench.store.rows.size).toBe(1)
  })
})

describe('time', () => {
  it('counts events that are late, and those for a window of the future wait for it', async () => {
    const bench = new BenchFlow(flowOf(tumbling(), op('REDUCE', 'join')), operators)
    expect(await bench.event('future', 950, 100)).toMatchObject({ wakeMs: 1000 })
    expect(await bench.event('late', 50, 100)).toMatchObject({ late: 1, dropped: 0, wakeMs: 1000 })
    expect(await bench.timer(999)).toMatchObject({ results: [], wakeMs: 1000 })
    await bench.timer(1000)
    expect(bench.results).toEqual(['future'])
  })

  it('gives up count windows that get nothing', async () => {
    const window: FlowOperator = { opType: 'WINDOW', window: { kind: 'count', count: 3, idleMs: 100 } }
    const bench = new BenchFlow(flowOf(op('GROUP', 'self'), window, op('REDUCE', 'join')), operators)
    await bench.event('a', 0, 0)
    await bench.event('b', 20, 20)
    const { wakeMs } = await bench.event('a', 70, 70)
    expect(wakeMs).toBeGreaterThanOrEqual(100)
    await bench.timer(130)
    expect(bench.results).toEqual(['b'])
    await bench.timer(180)
    expect(bench.results).toEqual(['b', 'a,a'])
    expect([...bench.store.rows.keys()].sort()).toEqual(['flow meta', 'flow:1 totals'])
  })

  it('closes no more windows with one message than its bound, the next goes on', async () => {
    const bench = new BenchFlow(flowOf(op('FLATMAP', 'words'), tumbling(), op('GROUP', 'self')), operators)
    for (let round = 0; round < 2; round++)
      await bench.event(Array.from({ length: 600 }, (_, i) => `${round * 600 + i}`).join(' '), 10)
    expect(await bench.timer(100)).toMatchObject({ wakeMs: 100 })
    expect(bench.results).toHaveLength(flowLimits.closings)
    expect(await bench.timer(100)).toMatchObject({ wakeMs: undefined })
    expect(bench.results).toHaveLength(1200)
  })

  it('numbers the runs of a message, so that each has a seed of its own', async () => {
    const bench = new BenchFlow(flowOf(op('FLATMAP', 'words'), op('MAP', 'self')), operators)
    await bench.event('a b', 0)
    expect(bench.ordinals).toEqual([0, 1, 2])
  })
})

describe('a hostile operator', () => {
  it('cannot nest JSON deeper than a bound that is the same everywhere', async () => {
    const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`
    const answers: Record<string, Operator> = {
      ...operators,
      deep: () => nested(200_000),
      quoted: () => JSON.stringify([nested(100), 'a"]\\']),
    }
    const deep = new BenchFlow(flowOf(op('FLATMAP', 'deep')), answers)
    await deep.event('', 0)
    expect(deep.notes).toEqual(['deep: the answer is JSON that is nested more than 64 levels; the element is dropped'])
    const quoted = new BenchFlow(flowOf(op('FLATMAP', 'quoted')), answers)
    await quoted.event('', 0)
    expect(quoted.results).toEqual([nested(100), 'a"]\\'])
    const sinking = new BenchFlow({ ...flowOf(op('MAP', 'deep')), sink: mqtt('t/{a}') }, answers)
    await sinking.event('', 0)
    expect(sinking.notes[0]).toMatch(/^the sink refuses a result: the payload is JSON that is nested/)
  })

  it('cannot make more of an event than its bounds, however many FLATMAPs follow each other', async () => {
    const thousand = () => JSON.stringify(Array.from({ length: 1000 }, () => 'x'))
    const large = 'x'.repeat(1024 * 1024)
    const bench = new BenchFlow(flowOf(op('FLATMAP', 'thousand'), op('FLATMAP', 'thousand')), { thousand })
    await bench.event('', 0)
    expect(bench.ordinals).toHaveLength(3)
    expect(bench.notes).toEqual(['thousand: more than 1000 elements, all are dropped'])
    const wide = new BenchFlow(flowOf(op('FLATMAP', 'thousand'), op('MAP', 'grow')), { thousand, grow: () => large })
    await wide.event('', 0)
    expect(wide.ordinals).toHaveLength(18)
    expect(wide.notes).toEqual([`grow: elements of more than ${flowLimits.wayBytes} bytes, all are dropped`])
  })

  it('cannot have one message pay for all count windows that it completes: the rest is due, and none is lost', async () => {
    const window: FlowOperator = { opType: 'WINDOW', window: { kind: 'count', count: 1 } }
    const bench = new BenchFlow(
      flowOf(op('FLATMAP', 'words'), window, op('GROUP', 'self'), op('REDUCE', 'join'), op('MAP', 'self')),
      operators,
    )
    bench.fuel = 7500
    bench.fuelPerRun = 1000n
    const report = await bench.event('1 2 3 4 5 6', 3)
    expect(report).toMatchObject({ failed: false, wakeMs: 3 })
    expect(bench.results).toEqual(['1', '2', '3', '4'])
    expect(await bench.timer(3)).toMatchObject({ failed: false, wakeMs: undefined })
    expect(bench.results).toEqual(['1', '2', '3', '4', '5', '6'])
    expect([...bench.store.rows.keys()].sort()).toEqual(['flow meta', 'flow:1 totals'])
  })

  it('cannot have one message end windows without a bound, where no operator takes fuel for it', async () => {
    const bench = new BenchFlow(flowOf(op('FLATMAP', 'words'), tumbling(), op('GROUP', 'self')), operators)
    const words = (key: number) => Array.from({ length: 1000 }, () => `${key}`).join(' ')
    for (let i = 0; i < 15; i++) await bench.event(words(i), 10)
    expect(await bench.timer(100)).toMatchObject({ wakeMs: 100 })
    expect(bench.results).toHaveLength(flowLimits.closingElements)
    expect(await bench.timer(100)).toMatchObject({ wakeMs: undefined })
    expect(bench.results).toHaveLength(15_000)
  })
})

describe('a batch that has no room', () => {
  const full = () => {
    throw new HostFault('Limit', 'the batch would hold too much', { limit: 'BATCH_LIMIT' })
  }
  const told = { failed: true, results: [{ handler: '', code: -1, error: 'BATCH_LIMIT' }] }

  it('fails the event, and keeps open and due what the next batch closes', async () => {
    const bench = new BenchFlow(flowOf(tumbling(), op('REDUCE', 'join')), operators)
    bench.store.beforePut = full
    expect(await bench.event('lost', 10)).toMatchObject({ ...told, wakeMs: 10 })
    bench.store.beforePut = undefined
    await bench.event('a', 20)
    bench.store.beforePut = full
    expect(await bench.timer(100)).toMatchObject({ ...told, wakeMs: 100 })
    bench.store.beforePut = undefined
    expect(await bench.timer(101)).toMatchObject({ failed: false, wakeMs: undefined })
    expect(bench.results).toEqual(['a'])
  })
})

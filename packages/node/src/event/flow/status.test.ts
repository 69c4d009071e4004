import { expect, it } from 'vitest'
import type { Flow, FlowOperator } from '../../project/flow.ts'
import { flowStatus } from './status.ts'
import { BenchFlow, type Operator } from './testing/bench-flow.ts'

const operators: Record<string, Operator> = {
  key: (text) => text.split(' ')[0]!,
  join: (text, acc) => (acc === null ? text : `${acc},${text}`),
}
const key: FlowOperator = { opType: 'GROUP', wasmFunc: 'key' }
const reduce: FlowOperator = { opType: 'REDUCE', wasmFunc: 'join' }
const windowOf = (window: FlowOperator['window']): FlowOperator => ({ opType: 'WINDOW', window })
const flowOf = (...steps: FlowOperator[]): Flow => ({ source: { strategies: ['A'] }, operators: steps })

/** What the status is read from after a commit: the rows of the flow, in pages. */
function readerOf({ store }: BenchFlow): Parameters<typeof flowStatus>[0] {
  return {
    listKv: ({ namespace = '', prefix, size = 10, offset = 0 }) => {
      const all = store.list(namespace, { prefix, limit: 100_000 }).map((item) => ({ namespace, ...item }))
      return { data: all.slice(offset, size < 0 ? undefined : offset + size), total: all.length }
    },
  }
}

it('tells open windows in the order of their ends, what they hold, and when the next is due', async () => {
  const flow = flowOf(windowOf({ kind: 'tumbling', sizeMs: 100, latenessMs: 10 }), key, reduce)
  const bench = new BenchFlow(flow, operators)
  for (const [text, timeMs] of [
    ['b 1', 150],
    ['a 1', 20],
    ['b 2', 30],
    ['b 3', 40],
  ] as const)
    await bench.event(text, timeMs, 50)
  await bench.event('a late', 10, 120)
  const status = await flowStatus(readerOf(bench), { flow, database: {} }, { size: 10 })
  const window = (group: string, startMs: number, elements: number, accumulatorBytes: number) => {
    const endMs = startMs + 100
    return { group, startMs, endMs, dueMs: endMs + 10, elements, bytes: accumulatorBytes + 64, accumulatorBytes }
  }
  expect(status).toEqual({
    windows: 1,
    bytes: 67,
    late: 1,
    dropped: 0,
    wakeMs: 210,
    open: [window('b', 100, 1, 3)],
  })
  await bench.event('c 1', 199, 120)
  const paged = await flowStatus(readerOf(bench), { flow, database: {} }, { size: 1, offset: 1 })
  expect(paged).toMatchObject({ windows: 2, open: [{ group: 'c' }] })
})

it('tells what windows keep that reduce at their end', async () => {
  const flow = flowOf(key, windowOf({ kind: 'session', gapMs: 50, latenessMs: 0 }), reduce)
  const bench = new BenchFlow(flow, operators)
  await bench.event('a 1', 10)
  await bench.event('a 2', 30)
  expect(await flowStatus(readerOf(bench), { flow, database: {} }, {})).toMatchObject({
    wakeMs: 60,
    open: [{ group: 'a', startMs: 10, endMs: 80, dueMs: 80, elements: 2, bytes: 134 }],
  })
})

it('knows of nothing when there is no flow, none has run, or windows are of another', async () => {
  const flow = flowOf(windowOf({ kind: 'tumbling', sizeMs: 100 }))
  const bench = new BenchFlow(flow, operators)
  const nothing = { windows: 0, bytes: 0, late: 0, dropped: 0, open: [] }
  expect(await flowStatus(readerOf(bench), { flow: {}, database: {} }, {})).toBeUndefined()
  expect(await flowStatus(readerOf(bench), { flow, database: {} }, {})).toEqual(nothing)
  await bench.event('x', 10)
  const other = flowOf(windowOf({ kind: 'tumbling', sizeMs: 200 }))
  expect(await flowStatus(readerOf(bench), { flow: other, database: {} }, {})).toEqual(nothing)
  expect(await flowStatus(readerOf(bench), { flow, database: {} }, {})).toMatchObject({ windows: 1, bytes: 65 })
})

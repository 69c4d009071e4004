import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Flow, FlowWindow } from '../../project/flow.ts'
import { BenchFlow, type Operator } from './testing/bench-flow.ts'

/** An event: group, value, its own time, and how much the node's clock goes on before it comes. */
interface Event {
  readonly group: string
  readonly value: number
  readonly timeMs: number
  readonly passMs: number
}

const operators: Record<string, Operator> = {
  group: (text) => text.split(' ')[0]!,
  join: (text, acc) => (acc === null ? text : `${acc},${text}`),
}

const events = fc.array(
  fc.record({
    group: fc.constantFrom('a', 'b', 'B', 'é'),
    value: fc.nat(99),
    timeMs: fc.nat(400),
    passMs: fc.nat(60),
  }),
  { maxLength: 40 },
)

function flowOf(window: FlowWindow, order: 'keyed' | 'grouped' | 'none', reduce: boolean): Flow {
  const windowOperator = { opType: 'WINDOW', window } as const
  const group = { opType: 'GROUP', wasmFunc: 'group' } as const
  const both = order === 'keyed' ? [group, windowOperator] : [windowOperator, group]
  return {
    source: { strategies: ['A'] },
    operators: [
      ...(order === 'none' ? [windowOperator] : both),
      ...(reduce ? [{ opType: 'REDUCE', wasmFunc: 'join' } as const] : []),
    ],
    sink: { sinkType: 'MQTT', sinkInfo: { mqtt: { topic: 'at' } } },
  }
}

/** Runs the events through a flow; results as they came, each with the message that it came with. */
async function run(flow: Flow, list: readonly Event[], timers: boolean): Promise<{ results: string[]; late: number }> {
  const bench = new BenchFlow(flow, operators)
  let clock = 0
  let late = 0
  for (const { group, value, timeMs, passMs } of list) {
    clock += passMs
    if (timers) await bench.timer(clock)
    late += (await bench.event(`${group} ${value}`, timeMs, clock)).late
  }
  await bench.timer(1_000_000)
  expect([...bench.store.rows.keys()].filter((key) => /^flow:\d+ [bep]/.test(key))).toEqual([])
  return { results: bench.results.map((text) => (JSON.parse(text) as string[])[1]!), late }
}

/** The clock at which each event comes. */
function arrivals(list: readonly Event[]): (Event & { clock: number; text: string })[] {
  let clock = 0
  return list.map((event) => {
    clock += event.passMs
    return { ...event, clock, text: `${event.group} ${event.value}` }
  })
}

const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))

/** What windows of fixed length come to, straight from their definition: every window looked at, every event tried. */
function fixedWindows(
  list: readonly Event[],
  size: number,
  every: number,
  lateness: number,
  grouped: boolean,
): string[] {
  const out: string[] = []
  for (let start = 0; start <= 400; start += every) {
    const inside = arrivals(list).filter(
      ({ timeMs, clock }) => timeMs >= start && timeMs < start + size && clock < start + size + lateness,
    )
    const groups = grouped ? [...new Set(inside.map(({ group }) => group))].sort(byBytes) : ['']
    for (const group of groups) {
      const members = inside.filter((event) => !grouped || event.group === group)
      if (members.length > 0) out.push(members.map(({ text }) => text).join(','))
    }
  }
  return out
}

/** What sessions come to: the clock is moved millisecond by millisecond, and everything is looked at each time. */
function sessions(list: readonly Event[], gap: number, lateness: number, keyed: boolean): string[] {
  interface Session {
    key: string
    start: number
    end: number
    members: { text: string; group: string }[]
  }
  const out: string[] = []
  let open: Session[] = []
  const close = (clock: number) => {
    const done = open.filter(({ end }) => end + lateness <= clock)
    open = open.filter(({ end }) => end + lateness > clock)
    done.sort((a, b) => a.end - b.end || byBytes(a.key, b.key) || a.start - b.start)
    for (const { members } of done)
      for (const group of [...new Set(members.map((one) => one.group))].sort(byBytes))
        out.push(
          members
            .filter((one) => one.group === group)
            .map(({ text }) => text)
            .join(','),
        )
  }
  const order: Session['members'][number][] = []
  for (const { group, timeMs, clock, text } of arrivals(list)) {
    close(clock)
    const member = { text, group }
    const key = keyed ? group : ''
    const own = { key, start: timeMs, end: timeMs + gap, members: [member] }
    const near = open.filter((one) => one.key === key && one.start < own.end && own.start < one.end)
    const all = [...near, own]
    const end = Math.max(...all.map((one) => one.end))
    if (end + lateness <= clock) continue
    order.push(member)
    const members = all.flatMap((one) => one.members).sort((a, b) => order.indexOf(a) - order.indexOf(b))
    open = [
      ...open.filter((one) => !near.includes(one)),
      { key, start: Math.min(...all.map((one) => one.start)), end, members },
    ]
  }
  close(Number.POSITIVE_INFINITY)
  return out
}

/** What count windows come to, without closing them early. */
function counts(list: readonly Event[], size: number, every: number, keyed: boolean): string[] {
  const lists = new Map<string, string[]>()
  const out: string[] = []
  for (const { group, text } of arrivals(list)) {
    const key = keyed ? group : ''
    const members = [...(lists.get(key) ?? []), text]
    lists.set(key, members)
    if (members.length >= size && (members.length - size) % every === 0) out.push(members.slice(-size).join(','))
  }
  return out
}

describe('windows', () => {
  it('of fixed length hold what lies in them and came in time, and end in the order of end and group', async () => {
    await fc.assert(
      fc.asyncProperty(
        events,
        fc.integer({ min: 5, max: 100 }),
        fc.integer({ min: 5, max: 100 }),
        fc.nat(100),
        fc.constantFrom('none' as const, 'grouped' as const, 'keyed' as const),
        fc.boolean(),
        async (list, a, b, latenessMs, order, timers) => {
          const [everyMs, sizeMs] = a < b ? [a, b] : [b, a]
          const window: FlowWindow = { kind: 'sliding', sizeMs, everyMs, latenessMs }
          const { results } = await run(flowOf(window, order, true), list, timers)
          expect(results).toEqual(fixedWindows(list, sizeMs, everyMs, latenessMs, order !== 'none'))
        },
      ),
    )
  })

  it('without REDUCE give their elements', async () => {
    await fc.assert(
      fc.asyncProperty(events, fc.integer({ min: 5, max: 100 }), fc.boolean(), async (list, sizeMs, timers) => {
        const window: FlowWindow = { kind: 'tumbling', sizeMs, latenessMs: 20 }
        const { results, late } = await run(flowOf(window, 'grouped', false), list, timers)
        const expected = fixedWindows(list, sizeMs, sizeMs, 20, true).flatMap((text) => text.split(','))
        expect(results).toEqual(expected)
        expect(late).toBe(list.length - expected.length)
      }),
    )
  })

  it('of sessions grow, become one, and end after a pause', async () => {
    await fc.assert(
      fc.asyncProperty(
        events,
        fc.integer({ min: 1, max: 80 }),
        fc.nat(60),
        fc.constantFrom('none' as const, 'grouped' as const, 'keyed' as const),
        fc.boolean(),
        async (list, gapMs, latenessMs, order, timers) => {
          const flow = flowOf({ kind: 'session', gapMs, latenessMs }, order, true)
          const plain = order === 'none' ? list.map((event) => ({ ...event, group: 'a' })) : list
          const { results } = await run(flow, plain, timers)
          expect(results).toEqual(sessions(plain, gapMs, latenessMs, order === 'keyed'))
        },
      ),
    )
  })

  it('by count end with their last element', async () => {
    await fc.assert(
      fc.asyncProperty(
        events,
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 6 }),
        fc.boolean(),
        async (list, a, b, keyed) => {
          const [every, count] = a < b ? [a, b] : [b, a]
          const flow = flowOf({ kind: 'count', count, every }, keyed ? 'keyed' : 'none', true)
          const bench = new BenchFlow(flow, operators)
          let clock = 0
          for (const { group, value, timeMs, passMs } of list) {
            clock += passMs
            await bench.event(`${group} ${value}`, timeMs, clock)
          }
          const results = bench.results.map((text) => (JSON.parse(text) as string[])[1])
          expect(results).toEqual(counts(list, count, every, keyed))
        },
      ),
    )
  })
})

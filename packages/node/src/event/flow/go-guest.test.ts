import { afterEach, expect, it } from 'vitest'
import type { Flow } from '../../project/flow.ts'
import { type TestProject, World } from '../testing/world.ts'
import { flowTimerType } from './limits.ts'

const startMs = 1_700_000_040_000
let world: World
let clockMs = startMs
afterEach(() => world.close())

/** The operators of the published Go kit's stream examples, compiled by Go (`test/interop/guests/go/flow`). */
async function open(operators: Flow['operators']): Promise<TestProject> {
  clockMs = startMs
  world = await World.open({ now: () => clockMs })
  const project = await world.project()
  await project.deploy({ go_flow: { OUT: 'filterAge' } })
  const column = (name: string, datatype: string) => ({ name, constrains: { datatype } })
  await project.change({
    op: 'database.put',
    database: {
      schemas: [
        {
          schema: 'public',
          tables: [
            {
              name: 'customers',
              cols: [
                column('name', 'TEXT'),
                column('city', 'TEXT'),
                column('age', 'INT32'),
                column('taxNumber', 'TEXT'),
              ],
            },
          ],
        },
      ],
    },
  })
  const table = { table: 'customers', columns: ['name', 'city', 'age', 'taxNumber'] }
  const flow: Flow = {
    source: { strategies: ['CUSTOMER'] },
    operators,
    sink: { sinkType: 'RMDB', sinkInfo: { DBInfo: table } },
  }
  expect(await project.change({ op: 'flow.put', flow })).toMatchObject({ ok: true })
  return project
}

const customers = [
  { name: 'Ada', age: 36, city: 'London' },
  { name: 'Kid', age: 17, city: 'London' },
  { name: 'Bob', age: 18, city: 'Paris' },
  { name: 'Eve', age: 40, city: 'London' },
]

/** Sends all customers within one window, lets it end, and reads what the table got. */
async function through(project: TestProject): Promise<unknown[]> {
  for (const customer of customers) {
    const receipt = await project.event(JSON.stringify(customer), { eventType: 'CUSTOMER', timestampMs: startMs })
    expect(receipt).toMatchObject({ status: 'ok' })
    expect(receipt.results.every(({ code, error }) => code === 0 && error === '')).toBe(true)
  }
  clockMs += 65_000
  await project.submit({ kind: 'timer', eventType: flowTimerType, publisherId: '', publisherKey: '' })
  const reader = await world.database.openReader(project.key)
  const statement = 'SELECT name, city, age, "taxNumber" FROM customers ORDER BY city, name'
  const { rows } = await reader.query({ statement, params: [] }, { rows: 100, bytes: 10_000 })
  await reader.close()
  return rows.map((row) => row.map(String))
}

const steps = [
  { opType: 'FILTER', wasmFunc: 'filterAge' },
  { opType: 'MAP', wasmFunc: 'mapTax' },
  { opType: 'WINDOW' },
  { opType: 'GROUP', wasmFunc: 'groupByCity' },
] as const

it('filters, maps and groups with the functions of a Go module, in the published window', async () => {
  expect(await through(await open(steps))).toEqual([
    ['Ada', 'London', '36', '19832106687'],
    ['Eve', 'London', '40', '19832106687'],
    ['Bob', 'Paris', '18', ''],
  ])
}, 60_000)

it('reduces what it groups, where the first element is returned as it came', async () => {
  expect(await through(await open([...steps, { opType: 'REDUCE', wasmFunc: 'sumAges' }]))).toEqual([
    ['Ada', 'London', '76', '19832106687'],
    ['Bob', 'Paris', '18', ''],
  ])
}, 60_000)

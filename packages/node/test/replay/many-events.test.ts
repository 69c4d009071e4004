import { fileURLToPath } from 'node:url'
import { buildApplet } from '@w3bstream/applet-sdk/tool'
import { fromHex, type Message, sfidFromBytes } from '@w3bstream/protocol'
import { afterEach, describe, expect, it } from 'vitest'
import { type TestProject, World } from '../../src/event/testing/world.ts'
import type { ProjectChange } from '../../src/project/definition.ts'
import { Random } from '../support/random.ts'
import { replayed, snapshotsOf } from '../support/replay.ts'

const chaos = fileURLToPath(new URL('./chaos/', import.meta.url))
const events = Number(process.env.W3BSTREAM_TEST_EVENTS ?? 100_000)
/** As many as a full batch of a node has. */
const together = 1000

const handlers = [
  'count',
  'count',
  'count',
  'count',
  'speak',
  'speak',
  'insert',
  'change',
  'report',
  'fail',
  'missing',
  'call',
]

const database = {
  schemas: [
    {
      schema: 'public',
      tables: [
        {
          name: 'readings',
          cols: [
            { name: 'id', constrains: { datatype: 'INT64', autoincrement: true } },
            { name: 'station', constrains: { datatype: 'TEXT' } },
            { name: 'value', constrains: { datatype: 'FLOAT64' } },
            { name: 'at_ms', constrains: { datatype: 'INT64' } },
            { name: 'note', constrains: { datatype: 'TEXT', default: "'none'" } },
          ],
          keys: [{ isUnique: false, columnNames: ['station'] }],
        },
      ],
    },
  ],
}

let world: World
afterEach(() => world.close())

async function open(random: Random): Promise<TestProject> {
  world = await World.open({
    pipeline: { mailbox: { messages: 10_000, bytes: 1e8 }, batch: { messages: together, bytes: 1e8 } },
    now: clock(random),
    services: {
      call: ({ data }) =>
        data.length % 4 === 0
          ? Promise.resolve(Uint8Array.of(random.int(0, 255)))
          : Promise.reject(new Error('reverted')),
    },
  })
  const project = await world.project()
  const projectId = sfidFromBytes(fromHex(project.key, 32))
  await project.change({ op: 'project.create', projectId, accountId: '8', name: 'aid_8_chaos' })
  await project.change({ op: 'database.put', database })
  const codeHash = await world.vfs.put((await buildApplet(chaos)).wasm)
  const strategies = [...new Set(handlers)]
    .filter((name) => name !== 'call')
    .map((name) => ({ eventType: name, handler: name }))
  await deploy(project, 'chaos', codeHash, strategies)
  await deploy(project, 'rust_tx', await world.store('rust_tx'), [{ eventType: 'call', handler: 'call' }])
  return project
}

async function deploy(
  project: TestProject,
  name: string,
  codeHash: string,
  strategies: readonly { eventType: string; handler: string }[],
): Promise<void> {
  const change = { op: 'applet.create', name, resourceId: '1', codeHash, md5: '', fileName: '', strategies }
  expect(await project.change(change as ProjectChange)).toMatchObject({ ok: true })
}

/** Runs forward by steps of some milliseconds. */
function clock(random: Random): () => number {
  let now = 1_700_000_000_000
  return () => (now += random.int(0, 20))
}

const alphabet = 'abcdeäöß\u{1F600}x'

function text(random: Random): string {
  const letters = Array.from(alphabet)
  return Array.from({ length: random.int(2, 24) }, () => letters[random.int(0, letters.length - 1)]).join('')
}

function event(random: Random): Partial<Message> {
  const eventType = handlers[random.int(0, handlers.length - 1)]!
  const call = `4690 0x${'11'.repeat(20)} 0x${'00'.repeat(random.int(1, 8))}`
  return {
    eventType,
    payload: new TextEncoder().encode(eventType === 'call' ? call : text(random)),
    publisherKey: `device-${random.int(1, 50)}`,
    idempotencyKey: random.int(1, 50) === 1 ? `key-${random.int(1, 400)}` : '',
  }
}

/** Changes that decide how what comes after them is executed. */
function change(random: Random): ProjectChange {
  const changes: readonly ProjectChange[] = [
    { op: 'settings.put', settings: { rollbackOnNegative: random.int(0, 1) === 1 } },
    { op: 'settings.put', settings: { defaultFallback: random.int(0, 1) === 1 } },
    { op: 'settings.put', settings: { limits: { logLines: random.int(0, 5), kvValueBytes: random.int(20, 2000) } } },
    { op: 'env.put', env: [['mode', text(random)]] },
  ]
  return changes[random.int(0, changes.length - 1)]!
}

async function fill(project: TestProject, random: Random, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += together) {
    const size = Math.min(together, count - sent)
    const results = Array.from({ length: size }, () => project.submit(event(random)))
    if (random.int(1, 4) === 1) results.push(project.change(change(random)) as never)
    await Promise.all(results)
  }
}

describe('a history of random events', () => {
  it(`of ${events} is the same when it is repeated, from its beginning and from its middle`, async () => {
    const random = new Random('replay')
    const project = await open(random)
    await fill(project, random, events / 2)
    const { header } = await snapshotsOf(world).create(project.key)
    await fill(project, random, events / 2)
    const whole = await replayed(world, project)
    expect(whole.found).toEqual([])
    expect(whole.messages).toBeGreaterThan(events)
    expect(whole.stateCompared).toBe(true)
    const half = await replayed(world, project, { from: header.height + 1n })
    expect(half.found).toEqual([])
    expect(half.snapshot?.height).toBe(header.height)
    expect(half.stateDigest).toEqual(whole.stateDigest)
    console.info(`replayed ${whole.messages} messages in ${Math.round(whole.durationMs)} ms`)
  }, 300_000)
})

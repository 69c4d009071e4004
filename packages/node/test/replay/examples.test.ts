import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildApplet } from '@w3bstream/applet-sdk/tool'
import { fromHex, keccakTree, sfidFromBytes, toHex } from '@w3bstream/protocol'
import { afterEach, describe, expect, it } from 'vitest'
import type { SignedTransaction } from '../../src/chain/chain.ts'
import type { DatabaseSchema } from '../../src/database/database.ts'
import type { SignRequest } from '../../src/event/executor/executor.ts'
import { World } from '../../src/event/testing/world.ts'
import { replayed } from '../support/replay.ts'

const root = join(import.meta.dirname, '../../../..')
const applets = [
  ...globSync('packages/applet-sdk/examples/*/', { cwd: root }),
  'examples/weather-station',
  'packages/node/test/interop/kit',
].map((path) => path.replace(/\/$/, ''))

/** What the applets' own test files say of the world and of the events. */
interface AppletTest {
  readonly env?: Record<string, string>
  readonly database?: DatabaseSchema
  readonly events: readonly { handler?: string; payload?: unknown; publisher?: { key?: string } | string }[]
}

/** Of a hundred guests in other languages those that end by themselves. */
const guests: Readonly<Record<string, readonly (readonly [handler: string, payload: string])[]>> = {
  rust_log: [
    ['start', 'a'],
    ['refuse', ''],
    ['crash', ''],
    ['replace', 'loud'],
  ],
  rust_kv_sql: [
    ['count_words', 'to be or not'],
    ['store_words', 'a bb'],
    ['query', '{"statement":"SELECT 1"}'],
    ['read_key', 'to'],
    ['read_env', 'x'],
  ],
  rust_tx: [
    ['send', `4690 0x${'22'.repeat(20)} 1 0x`],
    ['call', `4690 0x${'22'.repeat(20)} 0x00`],
    ['publish', 'a b'],
    ['hello', 'you'],
    ['metrics', '{"a":1}'],
  ],
  rust_wasi: [
    ['handle_report', '{"device":"d","readings":[{"name":"t","value":1.5}]}'],
    ['tell_time', ''],
    ['draw', ''],
    ['look_around', ''],
    ['print', ''],
    ['leave', ''],
    ['crash', ''],
  ],
  c_sensor: [
    ['handle_reading', '{"temperature":21.5}'],
    ['count_calls', ''],
  ],
  go_log: [
    ['start', 'go'],
    ['count_words', 'a b c'],
    ['read_words', ''],
  ],
  bomb: [
    ['grow', ''],
    ['measure', ''],
  ],
  recurse: [['dive', '']],
}

let world: World
afterEach(() => world.close())

async function open(name: string, codeHash: (world: World) => Promise<string>, handlers: readonly string[]) {
  world = await World.open({ services: { sign, call: async () => Uint8Array.of(1, 2, 3) } })
  const project = await world.project()
  const projectId = sfidFromBytes(fromHex(project.key, 32))
  await project.change({ op: 'project.create', projectId, accountId: '8', name: 'aid_8_example' })
  const strategies = handlers.map((handler) => ({ eventType: handler, handler }))
  const module = { resourceId: '1', codeHash: await codeHash(world), md5: '', fileName: '' }
  expect(await project.change({ op: 'applet.create', name, ...module, strategies } as never)).toMatchObject({
    ok: true,
  })
  return project
}

let nonce = 0
/** A transaction as the wallet would sign it; every second one is refused. */
async function sign({ transaction: { chainId, to, value, data } }: SignRequest): Promise<SignedTransaction> {
  if (nonce++ % 2 === 1) throw new Error('execution reverted')
  const raw = Uint8Array.of(2, nonce)
  const address = to.toLowerCase() as `0x${string}`
  return {
    ...{
      chainId,
      chainName: 'test',
      hash: toHex(keccakTree(raw)),
      raw: toHex(raw),
      nonce,
      from: `0x${'33'.repeat(20)}`,
    },
    ...{ to: address, value, data: data.toLowerCase() as `0x${string}`, operator: 'default', operatorId: '5' },
  }
}

describe('the history of an example is the same when it is repeated', () => {
  it.each(applets)('%s', async (path) => {
    const { wasm, stats } = await buildApplet(join(root, path))
    const project = await open('example', (at) => at.vfs.put(wasm), stats.handlers)
    const tests = globSync(join(root, path, 'tests/*.test.json')).sort()
    for (const file of tests) {
      const test = JSON.parse(readFileSync(file, 'utf8')) as AppletTest
      if (test.database) await project.change({ op: 'database.put', database: test.database })
      await project.change({ op: 'env.put', env: Object.entries(test.env ?? {}) })
      for (const { handler = 'start', payload = '', publisher } of test.events) {
        const key = typeof publisher === 'string' ? publisher : (publisher?.key ?? '')
        await project.event(typeof payload === 'string' ? payload : JSON.stringify(payload), {
          eventType: handler,
          publisherKey: key,
        })
      }
    }
    for (const handler of stats.handlers) await project.event('{}', { eventType: handler })
    expect((await replayed(world, project)).found).toEqual([])
  })

  it.each(Object.entries(guests))('%s', async (fixture, events) => {
    const project = await open(fixture, (at) => at.store(fixture), [...new Set(events.map(([handler]) => handler))])
    for (let round = 0; round < 2; round++)
      for (const [eventType, payload] of events) await project.event(payload, { eventType })
    const { found, messages } = await replayed(world, project)
    expect(found).toEqual([])
    expect(messages).toBe(2 + 2 * events.length)
  })
})

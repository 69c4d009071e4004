import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { sender } from '../support/events.ts'
import { guest } from '../support/guests.ts'
import { type Device, Management } from '../support/management.ts'
import { NodeProcess } from '../support/node-process.ts'
import { Random } from '../support/random.ts'
import { until } from '../support/until.ts'

const rounds = 3
const senders = 8

let node: NodeProcess
let admin: Management
let device: Device

beforeAll(async () => {
  node = await NodeProcess.start()
  admin = await Management.login(node)
  await admin.project('flow')
  await admin.applet('flow', guest('rust_kv_sql'), [{ eventType: 'OUT', handler: 'count_words' }])
  device = await admin.device('flow', 'd1')
  await admin.expect('POST', '/project_config/x/flow/PROJECT_FLOW', {
    source: { strategies: ['IN'] },
    sink: { sinkType: 'EVENT', sinkInfo: { event: { eventType: 'OUT' } } },
  })
})
afterAll(() => node[Symbol.asyncDispose]())

/** Sends events, each with a word of its own, until the node is gone. */
async function load(round: number, random: Random, acknowledged: Set<string>): Promise<void> {
  const running = Array.from({ length: senders }, async (_, n) => {
    const send = sender(node, admin.channel('flow'), device)
    for (let i = 0; ; i++) {
      const word = `r${round}x${n}x${i}`
      try {
        if ((await send(word, { eventType: 'IN' })).status !== 201) return
      } catch {
        return
      }
      acknowledged.add(word)
    }
  })
  const before = acknowledged.size
  await until('an acknowledgement', () => acknowledged.size > before)
  // How long is the point of the test: the node dies between commits, deliveries and their settling.
  await setTimeout(random.int(0, 300))
  await node.kill9()
  await Promise.all(running)
  await node.start()
}

it('delivers each event that a flow makes exactly once, whenever the node dies', async () => {
  const random = new Random('flow')
  const acknowledged = new Set<string>()
  for (let round = 0; round < rounds; round++) await load(round, random, acknowledged)
  await until('all events are delivered', async () =>
    (await admin.outbox('flow')).every(({ state }) => state === 'CONFIRMED'),
  )
  const counts = await admin.kv('flow')
  const words = [...counts].filter(([key]) => key.startsWith('r'))
  expect(words.filter(([, value]) => value.readInt32LE() !== 1)).toEqual([])
  const delivered = new Set(words.map(([word]) => word))
  expect([...acknowledged].filter((word) => !delivered.has(word))).toEqual([])
  const made = (await admin.outbox('flow')).length
  expect(delivered.size).toBe(made)
}, 120_000)

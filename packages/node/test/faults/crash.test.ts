import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sender } from '../support/events.ts'
import { guest } from '../support/guests.ts'
import { expectContiguous, expectVerifiable } from '../support/history.ts'
import { type Device, Management } from '../support/management.ts'
import { TestDevice } from '../support/mqtt.ts'
import { NodeProcess } from '../support/node-process.ts'
import { Random } from '../support/random.ts'
import { until } from '../support/until.ts'

const rounds = 3
const senders = 16

/** Sends events, each with a word of its own that the applet counts, until the node is gone. */
interface Load {
  readonly sent: Set<string>
  readonly acknowledged: Set<string>
}

describe('kill -9 under load', () => {
  const random = new Random('crash')
  let node: NodeProcess
  let admin: Management
  let device: Device
  let channel = ''

  beforeAll(async () => {
    node = await NodeProcess.start()
    admin = await Management.login(node)
    await admin.project('crash')
    channel = admin.channel('crash')
    await admin.applet('crash', guest('rust_kv_sql'), [{ eventType: 'DEFAULT', handler: 'count_words' }])
    device = await admin.device('crash', 'd1')
  })
  afterAll(() => node[Symbol.asyncDispose]())

  /** Runs `send` in parallel until it fails; kills the node at a random moment after the first acknowledgement. */
  async function killUnderLoad(name: string, open: () => Promise<(word: string) => Promise<boolean>>): Promise<Load> {
    const load: Load = { sent: new Set(), acknowledged: new Set() }
    for (let round = 0; round < rounds; round++) {
      const running = Array.from({ length: senders }, async (_, n) => {
        const send = await open()
        for (let i = 0; ; i++) {
          const word = `${name}${round}x${n}x${i}`
          load.sent.add(word)
          try {
            if (!(await send(word))) return
          } catch {
            return
          }
          load.acknowledged.add(word)
        }
      })
      const before = load.acknowledged.size
      await until('an acknowledgement', () => load.acknowledged.size > before)
      // How long is the point of the test: the node dies at any moment of its work.
      await setTimeout(random.int(0, 400))
      await node.kill9()
      await Promise.all(running)
      await node.start()
    }
    return load
  }

  /** Every acknowledged event is there once; of the others each at most once, and nothing besides. */
  async function expectExactlyOnce(name: string, { sent, acknowledged }: Load): Promise<void> {
    const counts = [...(await admin.kv('crash'))].filter(([word]) => word.startsWith(name))
    const stored = new Map(counts.map(([word, value]) => [word, value.readInt32LE()]))
    expect([...acknowledged].filter((word) => !stored.has(word))).toEqual([])
    expect([...stored].filter(([word, count]) => count !== 1 || !sent.has(word))).toEqual([])
    const receipts = await expectContiguous(admin, 'crash')
    const events = receipts.filter(({ kind }) => kind === 'data')
    const sample = Array.from({ length: 8 }, () => events[random.int(0, events.length - 1)]!.messageID)
    await expectVerifiable(admin, 'crash', [events[0]!.messageID, ...sample])
  }

  it('keeps each event that was acknowledged over HTTP exactly once', async () => {
    const load = await killUnderLoad('http', async () => {
      const send = sender(node, channel, device)
      return async (word) => (await send(word)).status === 201
    })
    await expectExactlyOnce('http', load)
  }, 120_000)

  it('keeps each event that was acknowledged over MQTT exactly once', async () => {
    const load = await killUnderLoad('mqtt', async () => {
      const { client, closed } = await TestDevice.connect(node, { username: device.key, password: device.token })
      const gone = closed.then(() => Promise.reject(new Error('gone')))
      gone.catch(() => undefined)
      return async (word) => {
        await Promise.race([client.publishAsync(`${channel}/DEFAULT`, word, { qos: 1 }), gone])
        return true
      }
    })
    await expectExactlyOnce('mqtt', load)
  }, 120_000)

  it('keeps management changes that were answered', async () => {
    const made: string[] = []
    const creating = (async () => {
      for (let i = 0; ; i++) made.push((await admin.device('crash', `made-${i}`)).key)
    })().catch(() => undefined)
    await until('a device', () => made.length > 2)
    await setTimeout(random.int(0, 100))
    await node.kill9()
    await creating
    await node.start()
    const { data } = await admin.expect<{ data: Device[] }>('GET', '/publisher/x/crash?size=-1')
    const devices = new Map(data.map((row) => [row.key, row]))
    expect(made.filter((key) => !devices.has(key))).toEqual([])
    const last = devices.get(made.at(-1)!)!
    expect((await sender(node, channel, last)('after')).status).toBe(201)
  }, 60_000)
})

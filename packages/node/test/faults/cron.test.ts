import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { guest } from '../support/guests.ts'
import { Management } from '../support/management.ts'
import { NodeProcess } from '../support/node-process.ts'
import { Random } from '../support/random.ts'
import { until } from '../support/until.ts'

const rounds = 4

describe('cron jobs of a node that is killed', () => {
  const random = new Random('cron')
  let node: NodeProcess
  let admin: Management
  let projectId = ''

  beforeAll(async () => {
    node = await NodeProcess.start()
    admin = await Management.login(node)
    projectId = await admin.project('clock')
    await admin.applet('clock', guest('rust_log'), [
      { eventType: 'ALL', handler: 'start' },
      { eventType: 'ONCE', handler: 'start' },
    ])
  })
  afterAll(() => node[Symbol.asyncDispose]())

  /** Scheduled times that a job's handler has seen, seconds, in the order of their execution. */
  async function firings(id: string): Promise<number[]> {
    const lines = await admin.logs('clock')
    return lines
      .map(({ msg }) => JSON.parse(msg) as { ID: string; Timestamp: string })
      .filter(({ ID }) => ID === id)
      .map(({ Timestamp }) => Date.parse(Timestamp) / 1000)
      .reverse()
  }

  it('fire each of their times once, and make up for what they missed', async () => {
    const job = async (eventType: string, missed: string) => {
      const body = { cronExpressions: '* * * * * *', eventType, missed }
      return (await admin.expect<{ cronJobID: string }>('POST', `/cronjob/${projectId}`, body)).cronJobID
    }
    const [all, once] = [await job('ALL', 'all'), await job('ONCE', 'once')]
    for (let round = 0; round < rounds; round++) {
      const before = (await firings(all)).length
      await until('a firing', async () => (await firings(all)).length > before)
      // How long is the point of the test: the node dies at any moment of its work.
      await setTimeout(random.int(0, 1200))
      await node.kill9()
      await node.start()
      admin = await Management.login(node)
    }
    const before = await firings(all)
    const times = await until('firings after the last start', async () => {
      const found = await firings(all)
      return found.length > before.length + 1 && found
    })
    expect(times).toEqual(Array.from(times, (_, i) => times[0]! + i))
    const single = await firings(once)
    expect(single).toEqual([...new Set(single)].sort((a, b) => a - b))
    expect(single.length).toBeLessThanOrEqual((await firings(all)).length)
  })
})

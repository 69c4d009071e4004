import { once } from 'node:events'
import { createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { runCli } from '../support/cli.ts'
import { sender } from '../support/events.ts'
import { guest } from '../support/guests.ts'
import { expectContiguous } from '../support/history.ts'
import { Management } from '../support/management.ts'
import { TestDevice } from '../support/mqtt.ts'
import { NodeProcess } from '../support/node-process.ts'
import { freePorts } from '../support/ports.ts'
import { makeTempDirectory, removeDirectory } from '../support/temp.ts'
import { until } from '../support/until.ts'

let node: NodeProcess
afterEach(() => node?.[Symbol.asyncDispose]())

async function startWithProject() {
  node = await NodeProcess.start()
  const admin = await Management.login(node)
  await admin.project('p')
  await admin.applet('p', guest('rust_kv_sql'), [{ eventType: 'DEFAULT', handler: 'count_words' }])
  await admin.applet('p', guest('loop'), [{ eventType: 'SPIN', handler: 'spin' }], 'loop')
  const device = await admin.device('p', 'd1')
  return { admin, device, channel: admin.channel('p') }
}

const metrics = async () => (await fetch(`${node.management}/metrics`)).text()

describe('ending a node', () => {
  it('drains at SIGTERM: what was acknowledged is there, and the process ends well', async () => {
    const { admin, device, channel } = await startWithProject()
    const send = sender(node, channel, device)
    const publisher = await TestDevice.connect(node, { username: device.key, password: device.token })
    const gone = publisher.closed.then(() => Promise.reject(new Error('gone')))
    gone.catch(() => undefined)
    const acknowledged: string[] = []
    const load = async (name: string, publish: (word: string) => Promise<boolean>) => {
      for (let i = 0; ; i++) {
        const word = `${name}x${i}`
        if (!(await publish(word).catch(() => false))) return
        acknowledged.push(word)
      }
    }
    const overMqtt = async (word: string) => {
      await Promise.race([publisher.client.publishAsync(`${channel}/DEFAULT`, word, { qos: 1 }), gone])
      return true
    }
    const loads = Array.from({ length: 8 }, (_, n) =>
      n < 4 ? load(`http${n}`, async (word) => (await send(word)).status === 201) : load(`mqtt${n}`, overMqtt),
    )
    await until('acknowledgements of both', () => ['http0x0', 'mqtt4x0'].every((word) => acknowledged.includes(word)))
    expect(await node.stop()).toEqual({ code: 0, signal: null })
    await Promise.all(loads)
    await node.start()
    const stored = await admin.kv('p')
    expect(acknowledged.filter((word) => stored.get(word)?.readInt32LE() !== 1)).toEqual([])
    const receipts = await expectContiguous(admin, 'p')
    // Everything that was executed before the end has its certificate at once.
    const files = await Promise.all(receipts.slice(0, 5).map((row) => admin.receiptFile('p', row.messageID)))
    expect(files.filter(({ certificate }) => certificate === undefined)).toEqual([])
  })

  it('waits for a handler that runs, and answers it', async () => {
    const { admin, device, channel } = await startWithProject()
    await admin.limits('p', { wallClockMs: 1000 })
    const spinning = sender(node, channel, device)('x', { eventType: 'SPIN', eventId: 'spin' })
    await until('the event was taken', async () => (await metrics()).includes('eventtype="SPIN"'))
    const ending = node.stop()
    expect((await spinning).json).toMatchObject({ eventID: 'spin', results: [{ error: 'wait timeout' }] })
    expect(await ending).toEqual({ code: 0, signal: null })
  })

  it('ends at once at the second SIGINT', async () => {
    const { admin, device, channel } = await startWithProject()
    await admin.limits('p', { wallClockMs: 20_000 })
    const spinning = sender(node, channel, device)('x', { eventType: 'SPIN' }).catch(() => undefined)
    await until('the event was taken', async () => (await metrics()).includes('eventtype="SPIN"'))
    node.signal('SIGINT')
    await until('the node says that it drains', () => node.output.includes('once more ends at once'))
    node.signal('SIGINT')
    expect(await node.ended()).toEqual({ code: 130, signal: null })
    await spinning
    await node.start()
    expect((await sender(node, channel, device)('after')).json.results).toMatchObject([{ code: 0 }])
  })

  it('can be told to end while it starts', async () => {
    node = await NodeProcess.start()
    await node.stop()
    const child = node.spawn()
    await once(child.stderr!, 'data', { signal: AbortSignal.timeout(2000) }).catch(() => undefined)
    node.signal('SIGTERM')
    const { code, signal } = await node.ended()
    expect(code === 0 || signal === 'SIGTERM').toBe(true)
    await node.start()
  })
})

describe('starting a node', () => {
  it('refuses a directory that another node uses, and leaves that one alone', async () => {
    node = await NodeProcess.start()
    const [port] = await freePorts(1)
    const second = await runCli([
      'start',
      '--data-dir',
      node.dataDir,
      '--http-port',
      `${port}`,
      '--event-port',
      '0',
      '--mqtt-port',
      '0',
    ])
    expect(second.code).toBeGreaterThan(0)
    expect(second.stderr).toContain(node.dataDir)
    expect(second.stderr).toContain(`${node.pid}`)
    expect(await node.isReady()).toBe(true)
  })

  it('takes over the directory of a node that was killed', async () => {
    node = await NodeProcess.start()
    await node.kill9()
    await node.start()
  })

  it('lists every mistake of its options', async () => {
    const flags = [
      '--http-port',
      '70000',
      '--event-port',
      'x',
      '--workers',
      '0',
      '--log-level',
      'loud',
      '--limit',
      'nothing=1',
    ]
    const { code, stderr } = await runCli(['start', ...flags], {
      env: { W3BSTREAM_ADMIN_PASSWORD: 'short', W3BSTREAM_CHAINS: '{', W3BSTREAM_WHITE_LIST: '0x1' },
    })
    expect(code).toBe(2)
    for (const field of [
      'http-port',
      'event-port',
      'workers',
      'log-level',
      'limit',
      'W3BSTREAM_ADMIN_PASSWORD',
      'W3BSTREAM_CHAINS',
      'W3BSTREAM_WHITE_LIST',
    ])
      expect(stderr).toContain(field)
    expect(stderr).not.toContain('short\n')
  })

  it.each(['--http-port', '--event-port', '--mqtt-port'])('says which port of %s is taken', async (flag) => {
    const server = createServer().listen(0, '0.0.0.0')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const dataDir = await makeTempDirectory()
    try {
      const others = (await freePorts(2)).map(String)
      const flags = ['--http-port', '--event-port', '--mqtt-port'].flatMap((name) => [
        name,
        name === flag ? `${port}` : others.pop()!,
      ])
      const { code, stderr } = await runCli(['start', '--data-dir', dataDir, ...flags])
      expect(code).toBeGreaterThan(0)
      expect(stderr).toContain(`${port}`)
      expect(stderr).toMatch(/in use|EADDRINUSE/)
      expect(stderr).not.toMatch(/\n\s+at /)
    } finally {
      server.close()
      await removeDirectory(dataDir)
    }
  })
})

import { execFile } from 'node:child_process'
import { readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { sender } from '../support/events.ts'
import { guest } from '../support/guests.ts'
import { expectContiguous } from '../support/history.ts'
import { Management } from '../support/management.ts'
import { NodeProcess } from '../support/node-process.ts'
import { makeTempDirectory, removeDirectory } from '../support/temp.ts'

const run = promisify(execFile)
const diskBytes = 24 * 1024 * 1024
const mountPoint = await makeTempDirectory()
/** Why there is no small disk, if so. */
const hindrance = await run('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes}`, 'tmpfs', mountPoint]).then(
  () => undefined,
  (error: Error) => error.message,
)

async function withCounter(node: NodeProcess) {
  const admin = await Management.login(node)
  await admin.project('disk')
  await admin.applet('disk', guest('rust_kv_sql'), [{ eventType: 'DEFAULT', handler: 'count_words' }])
  const device = await admin.device('disk', 'd1')
  return { admin, send: sender(node, admin.channel('disk'), device) }
}

describe('a full disk', () => {
  afterAll(async () => {
    if (hindrance === undefined) await run('umount', [mountPoint])
    await removeDirectory(mountPoint)
  })

  it.skipIf(hindrance !== undefined)(
    `refuses, corrupts nothing, and works again when there is room${hindrance ? ` (${hindrance})` : ''}`,
    async () => {
      const dataDir = join(mountPoint, 'node')
      const ballast = join(mountPoint, 'ballast')
      const node = await NodeProcess.start({ dataDir })
      try {
        const { admin, send } = await withCounter(node)
        expect((await send('before')).status).toBe(201)
        const { stdout } = await run('df', ['--output=avail', '-B1', mountPoint])
        const free = Number(stdout.split('\n')[1])
        await writeFile(ballast, Buffer.alloc(free - 256 * 1024))
        const acknowledged: string[] = []
        let refused = false
        for (let i = 0; i < 2000 && !refused; i++) {
          const word = `word${i}`
          const { status, json, headers } = await send(`${word} ${'-'.repeat(10_000)}`)
          if (status === 201) acknowledged.push(word)
          else {
            expect(status).toBe(507)
            expect(json.key).toBe('DiskFull')
            expect(headers.get('retry-after')).toMatch(/^\d+$/)
            refused = true
          }
        }
        expect(refused).toBe(true)
        const change = await admin.send('POST', '/publisher/x/disk', { name: 'another', key: 'another' })
        expect([201, 507]).toContain(change.status)
        expect(await node.isReady()).toBe(true)
        expect((await admin.receipts('disk')).length).toBeGreaterThan(acknowledged.length)

        await rm(ballast)
        expect((await send('after')).status).toBe(201)
        await node.restart()
        expect((await send('restarted')).status).toBe(201)
        const stored = await admin.kv('disk')
        expect(
          [...acknowledged, 'before', 'after', 'restarted'].filter((word) => stored.get(word)?.readInt32LE() !== 1),
        ).toEqual([])
        await expectContiguous(admin, 'disk')
      } finally {
        await node[Symbol.asyncDispose]()
      }
    },
  )
})

describe('a damaged file', () => {
  it('of one project is reported and not served; the others are', async () => {
    const node = await NodeProcess.start()
    try {
      const { admin, send } = await withCounter(node)
      for (let i = 0; i < 50; i++) await send(`word${i}`)
      await admin.project('sound')
      const other = sender(node, admin.channel('sound'), await admin.device('sound', 'd1'))
      const projects = join(node.dataDir, 'projects')
      const [first] = await admin.receipts('disk')
      const { project } = await admin.receiptFile('disk', first!.messageID)
      await node.stop()
      const file = (await readdir(projects)).find((name) => name.includes(project.slice(2)) && name.endsWith('.db'))
      await truncate(join(projects, file!), 6000)
      await node.start()
      const { status, json } = await send('x')
      expect(status).toBe(500)
      expect(json.key).not.toBe('UnknownError')
      expect((await admin.send('GET', '/kv/x/disk/datalist')).status).toBe(500)
      expect((await other('x')).status).toBe(201)
      expect(node.output).toMatch(/corrupt|malformed|not a database/i)
    } finally {
      await node[Symbol.asyncDispose]()
    }
  })
})

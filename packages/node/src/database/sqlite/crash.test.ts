import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { messageRow, project } from '../exam.ts'
import { openSqliteDatabase } from './sqlite-database.ts'

const root = mkdtempSync(join(tmpdir(), 'w3b-crash-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const writer = fileURLToPath(new URL('./crash-writer.ts', import.meta.url))

/** Runs the writer until it has reported `batches` commits, kills it at once, and returns the last height it reported. */
async function writeAndKill(directory: string, batches: number): Promise<bigint> {
  const child = spawn(process.execPath, ['--conditions=source', writer, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = new Promise((resolve) => child.once('exit', resolve))
  let last = 0n
  let seen = 0
  for await (const line of createInterface({ input: child.stdout })) {
    last = BigInt(line)
    if (++seen === batches) child.kill('SIGKILL')
  }
  await exited
  return last
}

describe('sqlite after kill -9', () => {
  it('stands at the end of a batch and has every one that was acknowledged', async () => {
    let acknowledged = 0n
    for (let round = 0; round < 4; round++) {
      acknowledged = await writeAndKill(root, 5 + round * 7)
      const database = openSqliteDatabase({ directory: root })
      const store = await database.openProject(project)
      const { height } = await store.tip()
      expect(height).toBeGreaterThanOrEqual(acknowledged)
      const counts = { statement: 'SELECT count(*), max(batch) FROM t', params: [] }
      expect((await store.query(counts, { rows: 1, bytes: 100 })).rows).toEqual([[height * 3n, height]])
      expect((await store.listKv({})).data.map(({ value }) => value)).toEqual([Uint8Array.of(Number(height & 0xffn))])
      const messages = await store.messages(height)
      expect(messages).toEqual(Array.from({ length: 100 }, (_, i) => messageRow(Number(height), i)))
      expect((await store.listMessages({ size: 0 })).total).toBe(Number(height) * 100)
      expect(await store.messages(height + 1n)).toEqual([])
      await store.close()
    }
    expect(acknowledged).toBeGreaterThan(20n)
  })
})

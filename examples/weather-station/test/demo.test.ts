import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const script = join(import.meta.dirname, '../demo.ts')
const children: ChildProcess[] = []
let temporary: string

beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'demo-test-'))
})
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await rm(temporary, { recursive: true, force: true })
})

/** Starts the demo with a directory for temporary files of its own. */
function demo(...args: readonly string[]) {
  const child = spawn(process.execPath, ['--conditions=source', script, ...args], {
    env: { ...process.env, TMPDIR: temporary, CI: '1', NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  const output = { text: '' }
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output.text += chunk))
  /** Resolves when the demo has written this. */
  const wrote = async (pattern: RegExp) => {
    const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>()
    const look = () => {
      const found = pattern.exec(output.text)
      if (found) resolve(found)
    }
    child.stdout.on('data', look)
    child.once('close', () => reject(new Error(`ended without ${pattern}: ${output.text}`)))
    look()
    return promise
  }
  const ended = once(child, 'close').then(([code]) => code as number | null)
  return { child, output, wrote, ended }
}

describe('the demo', () => {
  it('pays every owner what the data file says', { timeout: 120_000 }, async () => {
    const { output, ended } = demo('--days', '60')
    expect(await ended, output.text).toBe(0)
    expect(output.text).toContain('readings   1920 published, 1920 acknowledged, 1920 executed')
    expect(output.text).toContain('payments   18 transactions, all confirmed')
    expect(output.text).toMatch(/^seattle-2012 +0x[0-9a-fA-F]{40} +48 RAIN +48 RAIN +equal$/m)
    expect(output.text).toMatch(/^new-york-2014 +0x[0-9a-fA-F]{40} +90.2 RAIN +90.2 RAIN +equal$/m)
    expect(output.text.match(/ equal$/gm)).toHaveLength(8)
    expect(output.text).toContain('9 checks, offline')
    expect(await readdir(temporary)).toEqual([])
  })

  it('leaves nothing behind when it is interrupted', { timeout: 120_000 }, async () => {
    const { child, output, wrote, ended } = demo()
    const [, chain = '', node = ''] = await wrote(/Start a chain: (http\S+).*Start a node: (http[^,]+),.*Publish/s)
    child.kill('SIGINT')
    expect(await ended, output.text).toBe(130)
    for (const url of [chain, node]) await expect(fetch(url)).rejects.toThrow('fetch failed')
    expect(await readdir(temporary)).toEqual([])
  })

  it('stays up with --keep until it is told to end', { timeout: 120_000 }, async () => {
    const { child, output, wrote, ended } = demo('--days', '1', '--keep')
    const [, node = ''] = await wrote(/Still running, until Ctrl-C:\n +node +(http\S+)/)
    expect((await fetch(`${node}/liveness`)).status).toBe(200)
    child.kill('SIGINT')
    expect(await ended, output.text).toBe(0)
    await expect(fetch(node)).rejects.toThrow('fetch failed')
  })

  it.each(['0', '367', '1.5', 'all'])('refuses --days %s', async (days) => {
    const { output, ended } = demo('--days', days)
    expect(await ended).toBe(1)
    expect(output.text).toContain('wanted 1 to 366')
  })
})

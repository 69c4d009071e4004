import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lockDirectory } from './data-directory.ts'

type Child = ChildProcessByStdio<Writable, Readable, null>

/** A process that tries for the lock, says how it went, and lives until its input ends. */
const program = `
const { lockDirectory } = await import(process.argv[1])
try {
  await lockDirectory(process.argv[2])
  console.log('held')
} catch (error) {
  console.log(error.code)
}
process.stdin.resume()
`

let directory: string
let children: Child[] = []
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'w3b-lock-'))
})
afterEach(async () => {
  for (const child of children) await end(child)
  children = []
  await rm(directory, { recursive: true, force: true })
})

async function tryInChild(): Promise<{ child: Child; outcome: string }> {
  const source = join(import.meta.dirname, 'data-directory.ts')
  const flags = ['--conditions=source', '--input-type=module', '-e', program, source, directory]
  const child = spawn(process.execPath, flags, { stdio: ['pipe', 'pipe', 'inherit'] })
  children.push(child)
  const [said] = await once(child.stdout, 'data')
  return { child, outcome: String(said).trim() }
}

async function end(child: Child): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

describe('lock of a data directory', () => {
  it('is held by one node, in one process too, until it is given back', async () => {
    const unlock = await lockDirectory(directory)
    await expect(lockDirectory(directory)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await unlock()
    await (await lockDirectory(directory))()
  })

  it('is refused while another process has it, by that one’s number, and free once it was killed', async () => {
    const { child, outcome } = await tryInChild()
    expect(outcome).toBe('held')
    await expect(lockDirectory(directory)).rejects.toMatchObject({
      fault: { problems: [{ field: 'dataDir', wanted: expect.stringContaining(`process ${child.pid} on `) }] },
    })
    await end(child)
    await (await lockDirectory(directory))()
  })

  it('does not ask whether the process that is written down lives', async () => {
    await writeFile(join(directory, 'node.pid'), `${process.ppid} on here\n`)
    await (await lockDirectory(directory))()
  })

  it('goes to one of several that start together', async () => {
    const tries = await Promise.all([tryInChild(), tryInChild(), tryInChild()])
    expect(tries.map(({ outcome }) => outcome).sort()).toEqual(['CONFIG_INVALID', 'CONFIG_INVALID', 'held'])
  })

  it('names the option when nothing can be written there', async () => {
    await expect(lockDirectory(join(directory, 'missing'))).rejects.toMatchObject({
      fault: { problems: [{ field: 'dataDir', wanted: expect.stringContaining('can write') }] },
    })
  })
})

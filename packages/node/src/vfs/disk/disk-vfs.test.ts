import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { keeperSuite } from '../keeper.suite.ts'
import { VfsKeeper } from '../keeper.ts'
import { vfsSuite } from '../vfs.suite.ts'
import { openDiskVfs } from './disk-vfs.ts'

const root = mkdtempSync(join(tmpdir(), 'vfs-'))
afterAll(() => rmSync(root, { recursive: true }))

let count = 0
const fresh = () => join(root, `${count++}`)

vfsSuite('disk', (options) => openDiskVfs({ directory: fresh(), ...options }))
keeperSuite('disk', () => openDiskVfs({ directory: fresh() }))

describe('on disk', () => {
  it('keeps files over a restart', async () => {
    const directory = fresh()
    const name = await openDiskVfs({ directory }).put(new Uint8Array([5]))
    expect([...(await openDiskVfs({ directory }).get(name))]).toEqual([5])
  })

  it('notices damage, and repairs it when the file is put again', async () => {
    const directory = fresh()
    const vfs = openDiskVfs({ directory })
    const name = await vfs.put(new Uint8Array([5, 6]))
    writeFileSync(join(directory, name.slice(0, 2), name), 'rot')
    await expect(vfs.get(name)).rejects.toMatchObject({ code: 'FILE_CORRUPT' })
    expect(() => vfs.getSync(name)).toThrow(expect.objectContaining({ code: 'FILE_CORRUPT' }))
    await vfs.put(new Uint8Array([5, 6]))
    expect([...(await vfs.get(name))]).toEqual([5, 6])
  })

  it('clears away what a crash left half-written', async () => {
    const directory = fresh()
    openDiskVfs({ directory })
    writeFileSync(join(directory, 'incoming', 'half'), 'x')
    openDiskVfs({ directory })
    expect(readdirSync(join(directory, 'incoming'))).toEqual([])
  })

  it('counts what an earlier process left', async () => {
    const directory = fresh()
    const before = openDiskVfs({ directory })
    await before.putDerived(await before.put(new Uint8Array(40)), 'twice', new Uint8Array(80))
    const vfs = openDiskVfs({ directory, limitBytes: 160 })
    expect(await vfs.usage()).toEqual({ files: 1, bytes: 40 + 32 + 80, limitBytes: 160 })
    await expect(vfs.put(new Uint8Array(9))).rejects.toMatchObject({ code: 'VFS_FULL' })
  })

  it('sees damage of derived bytes, and lets those go whose original is gone', async () => {
    const directory = fresh()
    const vfs = openDiskVfs({ directory })
    const name = await vfs.put(new Uint8Array([5]))
    const path = join(directory, name.slice(0, 2), name)
    for (const rot of [new Uint8Array(0), new Uint8Array(31), new Uint8Array(40)]) {
      await vfs.putDerived(name, 'm', new Uint8Array([1, 2]))
      writeFileSync(`${path}.m`, rot)
      expect(vfs.getDerivedSync(name, 'm')).toBeUndefined()
    }
    rmSync(path)
    expect((await openDiskVfs({ directory }).usage()).bytes).toBe(0)
    expect(readdirSync(join(path, '..'))).toEqual([])
  })

  it('holds whole files only after its process was killed while it wrote', async () => {
    const directory = fresh()
    const child = spawn(process.execPath, [
      fileURLToPath(new URL('../testing/put-forever.ts', import.meta.url)),
      directory,
    ])
    const exited = once(child, 'exit')
    for await (const line of createInterface({ input: child.stdout })) if (Number(line) >= 20) break
    child.kill('SIGKILL')
    await exited
    const vfs = openDiskVfs({ directory })
    const files = await Array.fromAsync(vfs.list())
    expect(files.length).toBeGreaterThanOrEqual(20)
    for (const { hash } of files) expect((await vfs.get(hash)).length).toBe(256 * 1024)
    expect(readdirSync(join(directory, 'incoming'))).toEqual([])
  })

  it('goes on with a collection whose process was killed', async () => {
    const directory = fresh()
    const before = openDiskVfs({ directory })
    for (let index = 0; index < 200; index++)
      await before.putDerived(await before.put(Buffer.from(`file ${index}`)), 'module', Buffer.from('made of it'))
    const script = fileURLToPath(new URL('../testing/collect-all.ts', import.meta.url))
    const child = spawn(process.execPath, [script, directory])
    const exited = once(child, 'exit')
    let lines = 0
    for await (const _ of createInterface({ input: child.stdout })) if (++lines >= 50) break
    child.kill('SIGKILL')
    await exited
    const vfs = openDiskVfs({ directory })
    const left = await Array.fromAsync(vfs.list())
    expect(left.length).toBeLessThan(200)
    for (const { hash } of left) await vfs.get(hash)
    const keeper = new VfsKeeper({ vfs, references: async () => new Map(), now: () => Date.now() + 1000 })
    const { files, usage } = await keeper.collect({ graceMs: 0 })
    expect({ files, usage }).toMatchObject({ files: left.length, usage: { files: 0, bytes: 0 } })
    expect(readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())).toEqual(
      [],
    )
  })
})

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { vfsSuite } from '../vfs.suite.ts'
import { openDiskVfs } from './disk-vfs.ts'

const root = mkdtempSync(join(tmpdir(), 'vfs-'))
afterAll(() => rmSync(root, { recursive: true }))

let count = 0
const fresh = () => join(root, `${count++}`)

vfsSuite('disk', () => openDiskVfs({ directory: fresh() }))

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

  it('refuses a file above the limit', async () => {
    const vfs = openDiskVfs({ directory: fresh(), maxBytes: 3 })
    await expect(vfs.put(new Uint8Array(4))).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' })
  })
})

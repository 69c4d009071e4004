import { expect, it } from 'vitest'
import { vfsSuite } from '../vfs.suite.ts'
import { openMemoryVfs } from './memory-vfs.ts'

vfsSuite('memory', openMemoryVfs)

it('refuses what does not fit, and keeps what it has', async () => {
  const vfs = openMemoryVfs({ maxBytes: 10 })
  const name = await vfs.put(new Uint8Array(6))
  await expect(vfs.put(new Uint8Array(7))).rejects.toMatchObject({ code: 'VFS_FULL' })
  expect(await vfs.freeBytes()).toBe(4)
  await vfs.remove(name)
  expect(await vfs.freeBytes()).toBe(10)
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { contentName } from './content-name.ts'
import type { Vfs } from './vfs.ts'

const hostileNames = [
  '',
  '..',
  '../../etc/passwd',
  `${'a'.repeat(62)}/.`,
  'A'.repeat(64),
  'g'.repeat(64),
  `${'a'.repeat(64)}\n`,
]

const listed = async (vfs: Vfs, after?: string) => Array.fromAsync(vfs.list(after))

/** The exam of every {@link Vfs}. @param open a new, empty one that holds `limitBytes` at most */
export function vfsSuite(kind: string, open: (options?: { limitBytes?: number; maxBytes?: number }) => Vfs): void {
  describe(`vfs ${kind}`, () => {
    it('gives back exactly what was put', async () => {
      const vfs = open()
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 4096 }), async (bytes) => {
          const name = await vfs.put(bytes)
          expect(name).toBe(contentName(bytes))
          expect(Buffer.from(await vfs.get(name))).toEqual(Buffer.from(bytes))
          expect(Buffer.from(vfs.getSync(name))).toEqual(Buffer.from(bytes))
          expect(await vfs.has(name)).toBe(true)
        }),
        { numRuns: 20 },
      )
    })

    it('takes the same file many times at once', async () => {
      const vfs = open()
      const bytes = new Uint8Array(100_000).fill(7)
      const names = await Promise.all(Array.from({ length: 8 }, () => vfs.put(bytes)))
      expect(new Set(names)).toEqual(new Set([contentName(bytes)]))
      expect((await vfs.get(names[0]!)).length).toBe(bytes.length)
    })

    it('is not changed by what callers do to their bytes', async () => {
      const vfs = open()
      const bytes = new Uint8Array([1, 2, 3])
      const name = await vfs.put(bytes)
      bytes[0] = 9
      ;(await vfs.get(name))[1] = 9
      expect([...(await vfs.get(name))]).toEqual([1, 2, 3])
    })

    it('says when a file is missing', async () => {
      const vfs = open()
      const name = contentName(new Uint8Array([42]))
      expect(await vfs.has(name)).toBe(false)
      await expect(vfs.get(name)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' })
      expect(() => vfs.getSync(name)).toThrow(expect.objectContaining({ code: 'FILE_NOT_FOUND' }))
    })

    it('forgets a removed file, and does not mind a missing one', async () => {
      const vfs = open()
      const name = await vfs.put(new Uint8Array([1]))
      expect(await vfs.remove(name)).toBe(true)
      expect(await vfs.remove(name)).toBe(false)
      expect(await vfs.has(name)).toBe(false)
    })

    it.each(hostileNames)('refuses the name %j', async (name) => {
      const vfs = open()
      await expect(vfs.get(name)).rejects.toMatchObject({ code: 'FILE_NAME' })
      await expect(vfs.has(name)).rejects.toMatchObject({ code: 'FILE_NAME' })
      await expect(vfs.remove(name)).rejects.toMatchObject({ code: 'FILE_NAME' })
      expect(() => vfs.getSync(name)).toThrow(expect.objectContaining({ code: 'FILE_NAME' }))
    })

    it('writes nothing after it was told to stop', async () => {
      const vfs = open()
      const bytes = new Uint8Array([1, 2])
      await expect(vfs.put(bytes, AbortSignal.abort())).rejects.toThrow()
      expect(await vfs.has(contentName(bytes))).toBe(false)
    })

    it('refuses what does not fit, and keeps what it has', async () => {
      const vfs = open({ limitBytes: 200, maxBytes: 180 })
      const name = await vfs.put(new Uint8Array(150))
      await expect(vfs.put(new Uint8Array(181))).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' })
      await expect(vfs.put(new Uint8Array(51))).rejects.toMatchObject({ code: 'VFS_FULL' })
      await expect(vfs.putDerived(name, 'big', new Uint8Array(51))).rejects.toMatchObject({ code: 'VFS_FULL' })
      expect(await vfs.put(new Uint8Array(150))).toBe(name)
      expect(await vfs.usage()).toEqual({ files: 1, bytes: 150, limitBytes: 200 })
      expect(await vfs.freeBytes()).toBe(50)
      await vfs.remove(name)
      expect(await vfs.freeBytes()).toBe(200)
      await vfs.put(new Uint8Array(51))
    })

    it('does not take more than fits when all come at once', async () => {
      const vfs = open({ limitBytes: 100 })
      const puts = Array.from({ length: 8 }, (_, index) => vfs.put(new Uint8Array(30).fill(index)))
      const results = await Promise.allSettled(puts)
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
      expect((await vfs.usage()).bytes).toBe(90)
    })

    it('lists files in the order of their names, from any of them on', async () => {
      const vfs = open()
      const names: string[] = []
      for (let index = 0; index < 40; index++) names.push(await vfs.put(new Uint8Array(index + 1)))
      names.sort()
      const all = await listed(vfs)
      expect(all.map(({ hash }) => hash)).toEqual(names)
      expect(all.reduce((sum, { bytes }) => sum + bytes, 0)).toBe((40 * 41) / 2)
      expect((await listed(vfs, names[16])).map(({ hash }) => hash)).toEqual(names.slice(17))
      expect(await listed(vfs, names[39])).toEqual([])
    })

    it('removes a file only when it was not put again since', async () => {
      const vfs = open()
      const name = await vfs.put(new Uint8Array([1]))
      const [{ putMs } = { putMs: 0 }] = await listed(vfs)
      expect(await vfs.remove(name, putMs)).toBe(false)
      await vfs.put(new Uint8Array([1]))
      expect((await listed(vfs))[0]!.putMs).toBeGreaterThanOrEqual(putMs)
      expect(await vfs.remove(name, Date.now() + 60_000)).toBe(true)
      expect(await listed(vfs)).toEqual([])
    })

    it('keeps what was derived from a file, and forgets it with the file', async () => {
      const vfs = open()
      const name = await vfs.put(new Uint8Array([1, 2, 3]))
      expect(vfs.getDerivedSync(name, 'module-1')).toBeUndefined()
      await vfs.putDerived(name, 'module-1', new Uint8Array([9, 9]))
      await vfs.putDerived(name, 'module-1', new Uint8Array([7]))
      await vfs.putDerived(name, 'module-2', new Uint8Array([]))
      expect([...vfs.getDerivedSync(name, 'module-1')!]).toEqual([7])
      expect([...vfs.getDerivedSync(name, 'module-2')!]).toEqual([])
      expect((await listed(vfs)).map(({ hash }) => hash)).toEqual([name])
      const { files, bytes } = await vfs.usage()
      const [file] = await listed(vfs)
      expect({ files, bytes }).toEqual({ files: 1, bytes: file!.bytes + file!.derivedBytes })
      await vfs.remove(name)
      expect(vfs.getDerivedSync(name, 'module-1')).toBeUndefined()
      expect((await vfs.usage()).bytes).toBe(0)
      await vfs.put(new Uint8Array([1, 2, 3]))
      expect(vfs.getDerivedSync(name, 'module-1')).toBeUndefined()
    })

    it('derives from what is there only, under names that are names', async () => {
      const vfs = open()
      const missing = contentName(new Uint8Array([42]))
      await expect(vfs.putDerived(missing, 'module-1', new Uint8Array(1))).rejects.toMatchObject({
        code: 'FILE_NOT_FOUND',
      })
      const name = await vfs.put(new Uint8Array([1]))
      for (const bad of ['', '../x', 'a/b', 'a.b', 'x'.repeat(65)]) {
        await expect(vfs.putDerived(name, bad, new Uint8Array(1))).rejects.toMatchObject({ code: 'FILE_NAME' })
        expect(() => vfs.getDerivedSync(name, bad)).toThrow(expect.objectContaining({ code: 'FILE_NAME' }))
      }
    })
  })
}

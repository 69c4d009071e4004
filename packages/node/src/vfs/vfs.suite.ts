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

/** The exam of every {@link Vfs}. */
export function vfsSuite(kind: string, open: () => Vfs): void {
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
      await vfs.remove(name)
      await vfs.remove(name)
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

    it('knows how much room there is', async () => {
      expect(await open().freeBytes()).toBeGreaterThan(0)
    })
  })
}

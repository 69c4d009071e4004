import { describe, expect, it } from 'vitest'
import { type References, VfsKeeper } from './keeper.ts'
import type { Vfs } from './vfs.ts'

const day = 24 * 3_600_000
const bytes = (text: string) => new TextEncoder().encode(text)

/** The exam of collections over every {@link Vfs}. */
export function keeperSuite(kind: string, open: () => Vfs): void {
  describe(`collection over vfs ${kind}`, () => {
    /** A keeper whose clock is two days ahead, so that what was just put is old. */
    const keeper = (vfs: Vfs, references: () => Promise<References>) =>
      new VfsKeeper({ vfs, references, now: () => Date.now() + 2 * day })

    it('removes what nothing refers to, with what was derived from it', async () => {
      const vfs = open()
      const [kept, gone] = [await vfs.put(bytes('kept')), await vfs.put(bytes('gone'))]
      await vfs.putDerived(gone, 'module', bytes('derived'))
      const references = async () => new Map([[kept, ['applet a/b']]])
      const plan = await keeper(vfs, references).collect({ dryRun: true })
      expect(plan).toMatchObject({ files: 1, young: 0, usage: { files: 2 } })
      expect(plan.removed.map(({ hash }) => hash)).toEqual([gone])
      const done = await keeper(vfs, references).collect()
      expect(done).toMatchObject({ files: 1, bytes: plan.bytes, usage: { files: 1, bytes: 4 } })
      expect(await vfs.has(gone)).toBe(false)
      expect(vfs.getDerivedSync(gone, 'module')).toBeUndefined()
      expect(await vfs.has(kept)).toBe(true)
      expect(await keeper(vfs, references).collect()).toMatchObject({ files: 0, bytes: 0 })
    })

    it('leaves what is young, and what is put again while it works', async () => {
      const vfs = open()
      const old = await vfs.put(bytes('old'))
      const young = new VfsKeeper({ vfs, references: async () => new Map() })
      expect(await young.collect()).toMatchObject({ files: 0, young: 1 })
      // Between mark and sweep a builder uploads the same file again.
      const references = async () => {
        await vfs.put(bytes('old'))
        return new Map()
      }
      const [{ putMs } = { putMs: 0 }] = await Array.fromAsync(vfs.list())
      const now = () => putMs + day
      expect(await new VfsKeeper({ vfs, references, now }).collect()).toMatchObject({ files: 0, young: 1 })
      expect(await vfs.has(old)).toBe(true)
    })

    it('loses no upload of many that go on at the same time', async () => {
      const vfs = open()
      const known = new Map<string, string[]>()
      const texts = Array.from({ length: 60 }, (_, index) => `file ${index % 20}`)
      const uploads = texts.map(async (text) => {
        const hash = await vfs.put(bytes(text))
        known.set(hash, ['upload'])
        return hash
      })
      const collecting = new VfsKeeper({ vfs, references: async () => new Map(known) })
      await Promise.all([...Array.from({ length: 5 }, () => collecting.collect()), ...uploads])
      for (const hash of await Promise.all(uploads)) expect(await vfs.has(hash)).toBe(true)
    })

    it('removes nothing when it cannot know what is referred to', async () => {
      const vfs = open()
      const hash = await vfs.put(bytes('a'))
      const failing = keeper(vfs, async () => Promise.reject(new Error('a store cannot be read')))
      await expect(failing.collect()).rejects.toThrow('cannot be read')
      expect(await vfs.has(hash)).toBe(true)
    })

    it('goes on where it was stopped', async () => {
      const vfs = open()
      for (let index = 0; index < 10; index++) await vfs.put(bytes(`${index}`))
      const stop = new AbortController()
      let removed = 0
      const stopping: Vfs = Object.create(vfs, {
        remove: {
          value: async (hash: string, before: number) => {
            if (++removed === 4) stop.abort()
            return vfs.remove(hash, before)
          },
        },
        list: { value: () => vfs.list() },
        usage: { value: () => vfs.usage() },
      })
      const none = async () => new Map()
      await expect(keeper(stopping, none).collect({ signal: stop.signal })).rejects.toThrow()
      expect((await vfs.usage()).files).toBe(6)
      expect(await keeper(vfs, none).collect()).toMatchObject({ files: 6, usage: { files: 0, bytes: 0 } })
    })
  })
}

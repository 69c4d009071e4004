/** Removes every file of a directory, and prints each before it goes. */
import { openDiskVfs } from '../disk/disk-vfs.ts'
import { VfsKeeper } from '../keeper.ts'
import type { Vfs } from '../vfs.ts'

const vfs = openDiskVfs({ directory: process.argv[2]! })
const telling: Vfs = Object.create(vfs, {
  list: { value: () => vfs.list() },
  usage: { value: () => vfs.usage() },
  remove: {
    value: (hash: string, before: number) => {
      console.log(hash)
      return vfs.remove(hash, before)
    },
  },
})
const now = () => Date.now() + 1000
await new VfsKeeper({ vfs: telling, references: async () => new Map(), now }, { graceMs: 0 }).collect()

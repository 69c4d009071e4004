import { openDiskVfs } from './disk/disk-vfs.ts'
import { openMemoryVfs } from './memory/memory-vfs.ts'

/** The kinds of store; the suite examines each. */
export const vfsKinds = { disk: openDiskVfs, memory: openMemoryVfs }

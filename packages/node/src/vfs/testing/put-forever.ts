/** Writes files of 256 KiB until it is killed, and prints how many it has written. */
import { openDiskVfs } from '../disk/disk-vfs.ts'

const vfs = openDiskVfs({ directory: process.argv[2]! })
for (let count = 0; ; count += 2) {
  const files = [count, count + 1].map((seed) => new Uint8Array(256 * 1024).fill(seed).fill(seed >> 8, 0, 1))
  await Promise.all(files.map((bytes) => vfs.put(bytes)))
  console.log(count + 2)
}

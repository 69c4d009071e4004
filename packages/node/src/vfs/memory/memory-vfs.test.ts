import { vfsSuite } from '../vfs.suite.ts'
import { openMemoryVfs } from './memory-vfs.ts'

vfsSuite('memory', openMemoryVfs)

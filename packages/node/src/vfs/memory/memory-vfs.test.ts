import { keeperSuite } from '../keeper.suite.ts'
import { vfsSuite } from '../vfs.suite.ts'
import { openMemoryVfs } from './memory-vfs.ts'

vfsSuite('memory', openMemoryVfs)
keeperSuite('memory', openMemoryVfs)

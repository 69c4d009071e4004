import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeTempDirectory, removeDirectory } from '../../../test/support/temp.ts'
import { areAsBefore, digestsOf } from './inputs.ts'
import { ModuleCache } from './module-cache.ts'

const source = (code: number, before = '') => `${before}export function start(rid: i32): i32 { return ${code} }\n`

describe('modules of a session', () => {
  let directory = ''
  let file = ''
  let cache: ModuleCache
  beforeEach(async () => {
    directory = await makeTempDirectory()
    await mkdir(join(directory, 'a/assembly'), { recursive: true })
    file = join(directory, 'a/assembly/index.ts')
    cache = new ModuleCache({ env: { HOME: directory } })
  })
  afterEach(() => removeDirectory(directory))
  const make = () => cache.make(join(directory, 'a'), true)

  it('are not made again for the same content, and are for other content, without being told', async () => {
    await writeFile(file, source(1))
    const first = await make()
    await writeFile(file, source(1))
    expect(await make()).toBe(first)
    await writeFile(file, source(2))
    expect(Buffer.from(await make())).not.toEqual(Buffer.from(first))
  })

  it('tell of content that was saved while the compiler ran', async () => {
    await writeFile(file, source(1))
    const first = await make()
    cache.takeRead()
    await writeFile(file, '')
    const making = make()
    await writeFile(file, source(2))
    await making
    // Either the compiler has read the last save, or it is seen that it has not.
    const isSettled = await areAsBefore(cache.takeRead())
    const last = await make()
    if (isSettled) expect(last).toBe(await making)
    expect(Buffer.from(last)).not.toEqual(Buffer.from(first))
    expect(await areAsBefore(cache.sources)).toBe(true)
  })

  it('that do not compile change with what was read or was missing, and with nothing else', async () => {
    await writeFile(file, source(1, "import { x } from './more'\nx()\n"))
    await expect(make()).rejects.toMatchObject({ code: 'COMPILE_FAILED' })
    const read = cache.takeRead()
    await writeFile(join(directory, 'a/assembly/out'), 'x')
    await writeFile(file, source(1, "import { x } from './more'\nx()\n"))
    expect(await areAsBefore(read)).toBe(true)
    await writeFile(join(directory, 'a/assembly/more.ts'), 'export function x(): void {}\n')
    expect(await areAsBefore(read)).toBe(false)
    await make()
  })
})

describe('content of files', () => {
  it('is compared by its bytes; a file that is missing is content, too', async () => {
    const directory = await makeTempDirectory()
    try {
      const file = join(directory, 'x')
      const missing = await digestsOf([file])
      expect(await areAsBefore(missing)).toBe(true)
      await writeFile(file, Uint8Array.of(0xff))
      expect(await areAsBefore(missing)).toBe(false)
      const there = await digestsOf([file])
      await writeFile(file, Uint8Array.of(0xfe))
      expect(await areAsBefore(there)).toBe(false)
    } finally {
      await removeDirectory(directory)
    }
  })
})

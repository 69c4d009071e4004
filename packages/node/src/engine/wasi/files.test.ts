import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HostFault } from '../engine.ts'
import { RecordingHost } from '../testing/recording-host.ts'
import { allRights, engineWasi, type WasiDriver } from '../testing/wasi-driver.ts'
import { errno } from './errno.ts'
import { type FixedFile, MemoryRecords } from './files/memory-records.ts'
import type { FileRecords } from './files/records.ts'
import { rights } from './files/rights.ts'
import { wasiFunctions } from './table.ts'

const assets = 3
const input = 4
const tmp = 5
const data = 6
const create = 1
const truncate = 8

const fixed = (path: string, text: string): FixedFile => ({
  path,
  size: Buffer.byteLength(text),
  read: () => Buffer.from(text),
})

function hostWith(options: Partial<RecordingHost> = {}): RecordingHost {
  return Object.assign(new RecordingHost(), options)
}

async function put(driver: WasiDriver, directory: number, path: string, text: string): Promise<number> {
  const { errno: failed, fd } = await driver.open(directory, path, { oflags: create | truncate })
  if (failed !== 0) return failed
  const written = await driver.write(fd!, text)
  return written.errno || driver.call('fd_close', fd!)
}

async function text(driver: WasiDriver, directory: number, path: string): Promise<string | number> {
  const { errno: failed, fd } = await driver.open(directory, path, { rights: rights.read })
  if (failed !== 0) return failed
  const answer = await driver.read(fd!, 100_000)
  await driver.call('fd_close', fd!)
  return answer.data ?? answer.errno
}

async function names(driver: WasiDriver, directory: number): Promise<readonly string[] | undefined> {
  return (await driver.list(directory)).names?.filter((name) => !name.startsWith('.'))
}

describe('what is open from the beginning', () => {
  it('is four directories, named so that C, Go and Rust find them', async () => {
    const { driver } = engineWasi(hostWith())
    const found: string[] = []
    for (let fd = 3; (await driver.call('fd_prestat_get', fd, 0)) === 0; fd++) {
      const length = Buffer.from(driver.memory.buffer).readUInt32LE(4)
      expect(await driver.call('fd_prestat_dir_name', fd, 100, length - 1)).toBe(errno.nametoolong)
      expect(await driver.call('fd_prestat_dir_name', fd, 100, length)).toBe(0)
      found.push(Buffer.from(driver.memory.buffer).toString('latin1', 100, 100 + length))
    }
    expect(found).toEqual(['/assets', '/input', '/tmp', '/data'])
  })

  it('shows assets and input, which cannot be changed', async () => {
    const host = hostWith({ assets: [fixed('models/a.bin', 'one'), fixed('b', '')], input: [fixed('payload', 'p')] })
    const { driver } = engineWasi(host)
    expect(await text(driver, assets, 'models/a.bin')).toBe('one')
    expect(await text(driver, assets, 'b')).toBe('')
    expect(await text(driver, input, 'payload')).toBe('p')
    expect(await names(driver, assets)).toEqual(['b', 'models'])
    for (const directory of [assets, input]) {
      expect(await put(driver, directory, 'new', 'x')).toBe(errno.rofs)
      expect(await driver.onPath('path_create_directory', directory, 'd')).toEqual({ errno: errno.rofs })
    }
    expect(await put(driver, assets, 'b', 'x')).toBe(errno.rofs)
    expect(await driver.onPath('path_unlink_file', assets, 'b')).toEqual({ errno: errno.rofs })
    expect(await driver.onPath('path_remove_directory', assets, 'models')).toEqual({ errno: errno.rofs })
    expect(await driver.rename(assets, 'b', assets, 'c')).toEqual({ errno: errno.rofs })
    expect(await driver.rename(assets, 'b', data, 'c')).toEqual({ errno: errno.xdev })
    const { fd } = await driver.open(assets, 'b', { rights: allRights & ~rights.write })
    expect((await driver.write(fd!, 'x')).errno).toBe(errno.badf)
    expect(await driver.call('fd_filestat_set_times', fd!, 0n, 0n, 8)).toBe(errno.rofs)
  })
})

describe('the project directory', () => {
  it('keeps what a call wrote, closed or not, for the next; scratch and descriptors end with the call', async () => {
    const host = hostWith()
    const first = engineWasi(host)
    expect(await first.driver.onPath('path_create_directory', data, 'd')).toEqual({ errno: 0 })
    expect(await put(first.driver, data, 'd/a', 'kept')).toBe(0)
    expect(await put(first.driver, tmp, 'a', 'gone')).toBe(0)
    const { fd } = await first.driver.open(data, 'open', { oflags: create })
    await first.driver.write(fd!, 'too')
    first.end()
    const { driver } = engineWasi(host)
    expect(await text(driver, data, 'd/a')).toBe('kept')
    expect(await text(driver, data, 'open')).toBe('too')
    expect(await names(driver, tmp)).toEqual([])
    expect(await driver.call('fd_tell', fd!, 0)).toBe(errno.badf)
  })

  it('numbers files in the order they were made, and times them by the clock of the batch', async () => {
    const host = hostWith()
    const { driver } = engineWasi(host)
    for (const name of ['x', 'y']) await put(driver, data, name, '')
    const [x, y] = [await driver.stat(data, 'x'), await driver.stat(data, 'y')]
    expect(x.stat).toEqual({ type: 4, size: 0, number: 2n, modifiedNs: 1_700_000_000_123_000_000n })
    expect(y.stat!.number).toBe(3n)
    await driver.rename(data, 'x', data, 'z')
    expect((await driver.stat(data, 'z')).stat!.number).toBe(2n)
    expect(await driver.call('path_filestat_set_times', data, 1, 1024, 1, 5n, 77n, 4)).toBe(0)
    expect((await driver.stat(data, 'z')).stat!.modifiedNs).toBe(77n)
  })

  it('puts a file once, however often it was written', async () => {
    const puts: string[] = []
    const records = new (class extends MemoryRecords {
      override put(...[space, key, value]: Parameters<FileRecords['put']>): void {
        if (space === 'content') puts.push(`${key} ${value?.length}`)
        super.put(space, key, value)
      }
    })()
    const { driver, end } = engineWasi(hostWith({ data: records }))
    const { fd } = await driver.open(data, 'log', { oflags: create })
    for (let index = 0; index < 100; index++) await driver.write(fd!, 'line\n')
    end()
    expect(puts).toEqual(['2 500'])
  })

  it('is the same over a store that answers later', async () => {
    const host = hostWith()
    const slow: FileRecords = {
      get: async (space, key) => host.data.get(space, key),
      entries: async (prefix, limit) => host.data.entries(prefix, limit),
      put: (space, key, value) => host.data.put(space, key, value),
      hold: (bytes) => host.data.hold(bytes),
    }
    const { driver, end } = engineWasi(hostWith({ data: slow }))
    expect(await driver.onPath('path_create_directory', data, 'd')).toEqual({ errno: 0 })
    expect(await put(driver, data, 'd/a', 'later')).toBe(0)
    expect(await text(driver, data, 'd/a')).toBe('later')
    expect(await driver.onPath('path_remove_directory', data, 'd')).toEqual({ errno: errno.notempty })
    expect(await driver.rename(data, 'd', data, 'd/e')).toEqual({ errno: errno.inval })
    expect(await names(driver, data)).toEqual(['d'])
    end()
    expect(await text(engineWasi(host).driver, data, 'd/a')).toBe('later')
  })

  it('lists a directory from any cookie while it changes', async () => {
    const { driver } = engineWasi(hostWith())
    for (let index = 0; index < 50; index++) await put(driver, data, `f${String(index).padStart(2, '0')}`, '')
    const { fd } = await driver.open(data, '.', { rights: rights.ofDirectory })
    const seen: string[] = []
    let cookie = 0n
    for (let done = false; !done; ) {
      expect(await driver.call('fd_readdir', fd!, 4096, 27 * 3, cookie, 0)).toBe(0)
      const bytes = Buffer.from(driver.memory.buffer)
      const used = bytes.readUInt32LE(0)
      done = used < 27 * 3
      for (let at = 4096; at + 24 < 4096 + used; at += 24 + bytes.readUInt32LE(at + 16)) {
        const end = at + 24 + bytes.readUInt32LE(at + 16)
        if (end > 4096 + used) break
        cookie = bytes.readBigUInt64LE(at)
        seen.push(bytes.toString('utf8', at + 24, end))
        if (seen.at(-1)!.startsWith('f')) await driver.onPath('path_unlink_file', data, seen.at(-1)!)
      }
    }
    expect(seen).toHaveLength(52)
    expect(seen).toEqual([...new Set(seen)].sort())
    expect(await names(driver, data)).toEqual([])
  })
})

describe('paths', () => {
  it.each(['..', '../assets/b', 'd/../..', 'd/../../tmp', '/data/a', '/etc/passwd', '//'])(
    '%s leads nowhere',
    async (path) => {
      const { driver } = engineWasi(hostWith({ assets: [fixed('b', 'x')] }))
      await driver.onPath('path_create_directory', data, 'd')
      const refused = { errno: errno.notcapable }
      expect(await driver.open(data, path, { rights: rights.read })).toEqual(refused)
      expect(await driver.open(data, path, { oflags: create })).toEqual(refused)
      expect(await driver.stat(data, path)).toEqual(refused)
      for (const name of ['path_create_directory', 'path_remove_directory', 'path_unlink_file'])
        expect(await driver.onPath(name, data, path)).toEqual(refused)
      expect(await driver.rename(data, path, data, 'x')).toEqual(refused)
      expect(await driver.rename(data, 'd', data, path)).toEqual(refused)
    },
  )

  it.each([
    ['', errno.noent],
    ['a\0b', errno.inval],
    ['missing/a', errno.noent],
    ['f/a', errno.notdir],
    ['f/', errno.notdir],
    ['f/..', errno.notdir],
    ['x'.repeat(256), errno.nametoolong],
    ['x/'.repeat(2000), errno.nametoolong],
  ])('%j is refused', async (path, wanted) => {
    const { driver } = engineWasi(hostWith())
    await put(driver, data, 'f', '')
    expect((await driver.stat(data, path)).errno).toBe(wanted)
  })

  it('go within a directory, with dots and slashes', async () => {
    const { driver } = engineWasi(hostWith())
    await driver.onPath('path_create_directory', data, 'd')
    await put(driver, data, 'd/a', 'x')
    for (const path of ['./d/a', 'd//a', 'd/../d/./a']) expect(await text(driver, data, path)).toBe('x')
    const { fd } = await driver.open(data, 'd', { rights: rights.ofDirectory })
    expect(await text(driver, fd!, 'a')).toBe('x')
    expect((await driver.stat(fd!, '../d/a')).errno).toBe(errno.notcapable)
    expect(await driver.onPath('path_remove_directory', data, 'd/.')).toEqual({ errno: errno.inval })
  })

  it('are UTF-8', async () => {
    const { driver } = engineWasi(hostWith())
    Buffer.from(driver.memory.buffer).set([0x61, 0xff], 1024)
    expect(await driver.call('path_create_directory', data, 1024, 2)).toBe(errno.ilseq)
    expect(await put(driver, data, 'grüezi 🌍', 'x')).toBe(0)
    expect(await names(driver, data)).toEqual(['grüezi 🌍'])
  })

  it('are never links', async () => {
    const { driver } = engineWasi(hostWith())
    await put(driver, data, 'a', '')
    expect(await driver.call('path_symlink', 1024, 1, data, 1025, 1)).toBe(errno.notsup)
    expect(await driver.call('path_link', data, 0, 1024, 1, data, 1025, 1)).toBe(errno.notsup)
    expect(await driver.call('path_readlink', data, 1024, 1, 2048, 10, 0)).toBe(errno.inval)
  })
})

describe('limits', () => {
  const limits = { fileBytes: 100, files: 3, projectFileBytes: 150, scratchBytes: 50 }

  it('of one file, of all files, of their number, of scratch', async () => {
    const host = hostWith({ fileLimits: limits })
    const { driver, state } = engineWasi(host)
    expect(await put(driver, data, 'a', 'x'.repeat(101))).toBe(errno.fbig)
    expect(state.limitsHit).toEqual(['FILE_LIMIT'])
    expect(await put(driver, data, 'a', 'x'.repeat(100))).toBe(0)
    expect(await put(driver, data, 'b', 'x'.repeat(51))).toBe(errno.nospc)
    expect(await put(driver, data, 'b', 'x'.repeat(50))).toBe(0)
    expect(await driver.onPath('path_create_directory', data, 'c')).toEqual({ errno: 0 })
    expect(await put(driver, data, 'd', '')).toBe(errno.nospc)
    expect(await put(driver, tmp, 'a', 'x'.repeat(51))).toBe(errno.fbig)
    expect(await put(driver, tmp, 'a', 'x'.repeat(50))).toBe(0)
    expect(await put(driver, tmp, 'b', 'x')).toBe(errno.nospc)
  })

  it('are counted over calls, and what is removed makes room', async () => {
    const host = hostWith({ fileLimits: limits })
    const first = engineWasi(host)
    await put(first.driver, data, 'a', 'x'.repeat(100))
    first.end()
    const { driver } = engineWasi(host)
    expect(await put(driver, data, 'b', 'x'.repeat(51))).toBe(errno.nospc)
    const { fd } = await driver.open(data, 'a')
    await driver.onPath('path_unlink_file', data, 'a')
    expect((await driver.statOpen(fd!)).stat!.size).toBe(100)
    expect(await put(driver, data, 'b', 'x'.repeat(51))).toBe(errno.nospc)
    await driver.call('fd_close', fd!)
    expect(await put(driver, data, 'b', 'x'.repeat(100))).toBe(0)
    await driver.open(data, 'b', { oflags: truncate })
    expect(await put(driver, data, 'c', 'x'.repeat(100))).toBe(0)
  })

  it('hold for gaps, allocation and renamed files', async () => {
    const { driver } = engineWasi(hostWith({ fileLimits: limits }))
    const { fd } = await driver.open(data, 'a', { oflags: create })
    expect((await driver.write(fd!, 'x', 1n << 40n)).errno).toBe(errno.fbig)
    expect((await driver.write(fd!, 'x', 1n << 62n)).errno).toBe(errno.inval)
    expect(await driver.call('fd_allocate', fd!, 0n, 101n)).toBe(errno.fbig)
    expect(await driver.call('fd_filestat_set_size', fd!, 1n << 63n)).toBe(errno.inval)
    expect(await driver.call('fd_allocate', fd!, 50n, 50n)).toBe(0)
    await driver.rename(data, 'a', data, 'b')
    expect(await put(driver, data, 'c', 'x'.repeat(51))).toBe(errno.nospc)
    expect((await driver.read(fd!, 200)).data).toBe('\0'.repeat(100))
  })

  it('of descriptors', async () => {
    const { driver, state } = engineWasi(hostWith())
    await put(driver, tmp, 'a', '')
    let opened = 7
    for (; (await driver.open(tmp, 'a')).errno === 0; opened++);
    expect(opened).toBe(1024)
    expect((await driver.open(tmp, 'a')).errno).toBe(errno.mfile)
    expect(state.limitsHit).toEqual(['FILE_LIMIT'])
    await driver.call('fd_close', 500)
    expect((await driver.open(tmp, 'a')).fd).toBe(500)
  })

  it('are those of the batch too, and a refusal changes nothing', async () => {
    let room = 1500
    const hold = (bytes: number) => {
      room -= bytes
      if (room < 0) throw new HostFault('Limit', 'the batch is full', { limit: 'BATCH_LIMIT' })
    }
    const records = Object.assign(new MemoryRecords(), { hold })
    const { driver } = engineWasi(hostWith({ data: records }))
    const { fd } = await driver.open(data, 'a', { oflags: create })
    await expect(driver.write(fd!, 'x'.repeat(1000))).rejects.toThrow('the batch is full')
    expect((await driver.statOpen(fd!)).stat!.size).toBe(0)
  })

  it('make a long write short, at the bytes that one call may move', async () => {
    const { driver } = engineWasi(hostWith(), { limits: { transferBytes: 20 } })
    const { fd } = await driver.open(tmp, 'a', { oflags: create })
    expect(await driver.write(fd!, 'x'.repeat(45))).toEqual({ errno: 0, count: 20 })
    await driver.seek(fd!, 0n, 0)
    expect((await driver.read(fd!, 45)).data).toBe('x'.repeat(20))
  })
})

describe('descriptors', () => {
  it('have the rights that were asked for, and can give them up', async () => {
    const { driver } = engineWasi(hostWith())
    await put(driver, tmp, 'a', 'text')
    const { fd } = await driver.open(tmp, 'a', { rights: rights.read | rights.write })
    expect(await driver.call('fd_fdstat_set_rights', fd!, rights.read, 0n)).toBe(0)
    expect((await driver.write(fd!, 'x')).errno).toBe(errno.badf)
    expect((await driver.read(fd!, 9)).data).toBe('text')
    expect(await driver.call('fd_fdstat_set_rights', fd!, rights.read | rights.write, 0n)).toBe(errno.notcapable)
  })

  it('append, and cease to', async () => {
    const { driver } = engineWasi(hostWith())
    await put(driver, tmp, 'a', 'one')
    const { fd } = await driver.open(tmp, 'a', { flags: 1 })
    await driver.write(fd!, 'two')
    await driver.write(fd!, 'X', 0n)
    expect(await driver.call('fd_fdstat_set_flags', fd!, 0)).toBe(0)
    await driver.seek(fd!, 1n, 0)
    await driver.write(fd!, 'Y')
    expect(await text(driver, tmp, 'a')).toBe('XYetwo')
  })

  it('can be renumbered and closed, those from the beginning too', async () => {
    const { driver } = engineWasi(hostWith())
    await put(driver, tmp, 'a', 'text')
    const { fd } = await driver.open(tmp, 'a')
    expect(await driver.call('fd_renumber', fd!, assets)).toBe(0)
    expect((await driver.read(assets, 9)).data).toBe('text')
    expect(await driver.call('fd_prestat_get', assets, 0)).toBe(errno.badf)
    expect(await driver.call('fd_renumber', fd!, assets)).toBe(errno.badf)
    for (const number of [0, 1, assets, tmp]) {
      expect(await driver.call('fd_close', number)).toBe(0)
      expect(await driver.call('fd_close', number)).toBe(errno.badf)
    }
  })

  it('of the streams are no files', async () => {
    const { driver } = engineWasi(hostWith())
    expect(await driver.read(0, 10)).toEqual({ errno: 0, data: '' })
    expect((await driver.read(1, 10)).errno).toBe(errno.badf)
    expect((await driver.seek(1, 0n, 0)).errno).toBe(errno.spipe)
    expect((await driver.list(1)).errno).toBe(errno.notdir)
    expect((await driver.open(1, 'a')).errno).toBe(errno.notdir)
    expect((await driver.statOpen(2)).stat!.type).toBe(2)
  })
})

it('withstands every function called with anything', async () => {
  const word = fc.oneof(fc.constantFrom(0, 1, -1, 3, 6, 7, 0x7fff_ffff, -0x8000_0000, 0xf_fff8), fc.integer())
  const long = fc.oneof(
    fc.constantFrom(0n, -1n, 1n << 62n, allRights),
    fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
  )
  const known = new Set<number>(Object.values(errno))
  const callable = wasiFunctions.filter(({ type }) => type.results.length > 0)
  const call = fc
    .constantFrom(...callable)
    .chain(({ name, type }) =>
      fc.tuple(
        fc.constant(name),
        fc.tuple(...type.params.map((param): fc.Arbitrary<number | bigint> => (param === 'i64' ? long : word))),
      ),
    )
  await fc.assert(
    fc.asyncProperty(fc.array(call, { maxLength: 40 }), async (calls) => {
      const { driver, end } = engineWasi(hostWith({ assets: [fixed('a', 'x')] }))
      await put(driver, data, 'a', 'x')
      for (const [name, parameters] of calls) expect(known).toContain(await driver.call(name, ...parameters))
      end()
    }),
    { numRuns: 300 },
  )
})

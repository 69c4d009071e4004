import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WASI } from 'node:wasi'
import fc from 'fast-check'
import { afterAll, expect, it } from 'vitest'
import { RecordingHost } from '../testing/recording-host.ts'
import { allRights, engineWasi, memoryInstance, type WasiAnswer, WasiDriver } from '../testing/wasi-driver.ts'
import type { WasmMemory } from '../webassembly.ts'
import { errno } from './errno.ts'
import { preopens } from './files/file-table.ts'

/** Node's own WASI over a directory of the disk does everything that ours does in its trees. */
const root = mkdtempSync(join(tmpdir(), 'wasi-oracle-'))
let directories = 0
afterAll(() => rmSync(root, { recursive: true }))

function oracle(): WasiDriver {
  const directory = join(root, `${directories++}`)
  mkdirSync(directory)
  const wasi = new WASI({ version: 'preview1', preopens: { '/data': directory } })
  const instance = memoryInstance()
  wasi.initialize(instance)
  return new WasiDriver(wasi.wasiImport as never, instance.exports.memory as WasmMemory)
}

/** A driver with its own numbers for what it has open. */
interface Side {
  readonly driver: WasiDriver
  readonly preopen: number
  readonly slots: number[]
  readonly appending: boolean[]
}

type Operation = (side: Side) => Promise<WasiAnswer>

const name = fc.constantFrom('a', 'b', 'c', 'ä')
const path = fc.oneof(
  { weight: 6, arbitrary: fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/')) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('./a', '..', '../a', '/a', 'a/', 'b//c'),
  },
)
/** Rights that make Node open for writing. */
const changing = 0x40_0141n
const slot = fc.nat({ max: 3 })
/** Of offsets and sizes. */
const small = fc.bigInt({ min: 0n, max: 600n })
const text = fc.string({ maxLength: 300 })

const fd = ({ preopen, slots }: Side, index: number) => slots[index] ?? preopen

async function open(side: Side, at: number, target: string, options: Parameters<WasiDriver['open']>[2]) {
  const answer = await side.driver.open(side.preopen, target, options)
  if (answer.errno === 0) {
    const old = side.slots[at]
    if (old !== undefined) await side.driver.call('fd_close', old)
    side.slots[at] = answer.fd!
  }
  return { errno: answer.errno }
}

async function close(side: Side, at: number): Promise<WasiAnswer> {
  const old = side.slots[at]
  if (old === undefined) return { errno: 0 }
  delete side.slots[at]
  return { errno: await side.driver.call('fd_close', old) }
}

const operations: fc.Arbitrary<{ text: string; run: Operation }> = fc.oneof(
  {
    weight: 6,
    arbitrary: operation('open', [slot, path, fc.constantFrom(0, 1, 1, 1, 5, 9, 8, 2), fc.boolean()], openFor),
  },
  operation('close', [slot], close),
  { weight: 4, arbitrary: operation('write', [slot, text], (side, at, data) => side.driver.write(fd(side, at), data)) },
  {
    weight: 2,
    arbitrary: operation('pwrite', [slot, text, small], pwrite),
  },
  {
    weight: 3,
    arbitrary: operation('read', [slot, fc.nat(700)], (side, at, size) => side.driver.read(fd(side, at), size)),
  },
  operation('pread', [slot, fc.nat(700), small], (side, at, size, offset) =>
    side.driver.read(fd(side, at), size, offset),
  ),
  {
    weight: 2,
    arbitrary: operation('seek', [slot, fc.bigInt({ min: -300n, max: 600n }), fc.nat(3)], (side, at, delta, whence) =>
      side.driver.seek(fd(side, at), delta, whence),
    ),
  },
  operation('resize', [slot, small], async (side, at, size) => ({
    errno: await side.driver.call('fd_filestat_set_size', fd(side, at), size),
  })),
  operation('sync', [slot], async (side, at) => ({ errno: await side.driver.call('fd_sync', fd(side, at)) })),
  {
    weight: 3,
    arbitrary: operation('mkdir', [path], (side, at) => side.driver.onPath('path_create_directory', side.preopen, at)),
  },
  operation('rmdir', [path], (side, at) => side.driver.onPath('path_remove_directory', side.preopen, at)),
  {
    weight: 2,
    arbitrary: operation('unlink', [path], (side, at) => side.driver.onPath('path_unlink_file', side.preopen, at)),
  },
  {
    weight: 3,
    arbitrary: operation('rename', [path, path], (side, from, to) =>
      side.driver.rename(side.preopen, from, side.preopen, to),
    ),
  },
  {
    weight: 2,
    arbitrary: operation('stat', [path], async (side, at) => comparable(await side.driver.stat(side.preopen, at))),
  },
  operation('stat open', [slot], async (side, at) => comparable(await side.driver.statOpen(fd(side, at)))),
  {
    weight: 2,
    arbitrary: operation('list', [slot, fc.integer({ min: 30, max: 200 })], (side, at, piece) =>
      side.driver.list(fd(side, at), piece),
    ),
  },
)

/** @param appends Linux appends with `pwrite` too, against POSIX; so there is none on what is opened so */
async function openFor(side: Side, at: number, target: string, oflags: number, appends: boolean) {
  // A directory that is asked for as such is opened by ours whatever it is wanted for, as by wasmtime.
  const rights = oflags & 2 ? allRights & ~changing : allRights
  const answer = await open(side, at, target, { oflags, flags: appends ? 1 : 0, rights })
  if (answer.errno === 0) side.appending[at] = appends
  return answer
}

async function pwrite(side: Side, at: number, data: string, offset: bigint): Promise<WasiAnswer> {
  return side.appending[at] ? { errno: 0 } : side.driver.write(fd(side, at), data, offset)
}

function operation<A extends unknown[]>(
  label: string,
  parameters: { [K in keyof A]: fc.Arbitrary<A[K]> },
  run: (side: Side, ...parameters: A) => Promise<WasiAnswer>,
): fc.Arbitrary<{ text: string; run: Operation }> {
  return fc.tuple<A>(...parameters).map((given) => ({
    text: `${label}(${given.map((value) => (typeof value === 'bigint' ? `${value}n` : JSON.stringify(value))).join(', ')})`,
    run: (side) => run(side, ...given),
  }))
}

/** Sizes of directories are the file system's own business, and so are numbers and times. */
function comparable({ errno, stat }: WasiAnswer): WasiAnswer {
  return stat ? { errno, count: stat.type === 4 ? stat.size : 0, names: [String(stat.type)] } : { errno }
}

/** Which of these is said of a directory that is used as a file, or the reverse, is a matter of taste. */
const notFile = new Set<number>([errno.badf, errno.isdir, errno.notdir, errno.notcapable])

function alike(text: string, answer: WasiAnswer): WasiAnswer {
  // Node leaves out the directory itself and the one above.
  if (answer.names) return { ...answer, names: answer.names.filter((found) => found !== '.' && found !== '..') }
  // Where both paths are wrong, either may be named.
  if (text.startsWith('rename')) return { errno: Math.min(answer.errno, 1) }
  return /^(p?write|p?read|seek|resize|sync|list)/.test(text) && notFile.has(answer.errno)
    ? { errno: errno.badf }
    : answer
}

it('does with files what Node’s WASI does on a disk', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('/tmp', '/data'),
      fc.array(operations, { maxLength: 60, size: 'max' }),
      async (mount, steps) => {
        const { driver, end } = engineWasi(new RecordingHost())
        const ours: Side = {
          driver,
          preopen: 3 + (preopens as readonly string[]).indexOf(mount),
          slots: [],
          appending: [],
        }
        const theirs: Side = { driver: oracle(), preopen: 3, slots: [], appending: [] }
        const log: string[] = []
        for (const step of steps) {
          const wanted = await step.run(theirs)
          log.push(`${step.text} ${JSON.stringify(wanted)}`)
          expect(alike(step.text, await step.run(ours)), log.join('\n')).toEqual(alike(step.text, wanted))
        }
        for (const at of theirs.slots.keys()) await close(theirs, at)
        end()
      },
    ),
    { numRuns: Number(process.env.WASI_RUNS ?? 150) },
  )
})

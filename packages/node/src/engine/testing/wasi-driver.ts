import { CallState } from '../host/call-state.ts'
import { Guest } from '../host/guest.ts'
import { createEngine } from '../inline/inline-engine.ts'
import { wasiFunctions } from '../wasi/table.ts'
import { type WasmInstance, type WasmMemory, wasm } from '../webassembly.ts'
import { assemble } from './assemble.ts'
import { type RecordingHost, testCall } from './recording-host.ts'

type Functions = Readonly<Record<string, (...parameters: (number | bigint)[]) => number | Promise<number>>>

/** What a call answered: an error number, and what else it told when that is zero. */
export interface WasiAnswer {
  readonly errno: number
  readonly fd?: number
  readonly count?: number
  readonly data?: string
  readonly stat?: { readonly type: number; readonly size: number; readonly number: bigint; readonly modifiedNs: bigint }
  readonly names?: readonly string[]
}

/** Places in the memory for what the calls are given and answer. */
const pathAt = 1024
const otherPathAt = 8192
const vectorAt = 16
const answerAt = 64
const dataAt = 65_536
/** All but those of sockets. */
export const allRights = 0x0fff_ffffn

/** Speaks to an implementation of WASI as a guest does, through a memory. */
export class WasiDriver {
  readonly memory: WasmMemory
  readonly #functions: Functions

  constructor(functions: Functions, memory: WasmMemory) {
    this.#functions = functions
    this.memory = memory
  }

  async open(
    directory: number,
    path: string,
    { oflags = 0, flags = 0, rights = allRights }: { oflags?: number; flags?: number; rights?: bigint } = {},
  ): Promise<WasiAnswer> {
    const at = this.#path(path)
    const errno = await this.call('path_open', directory, 1, ...at, oflags, rights, allRights, flags, answerAt)
    return errno === 0 ? { errno, fd: this.#u32(answerAt) } : { errno }
  }

  async write(fd: number, data: string, offset?: bigint): Promise<WasiAnswer> {
    const vector = this.#vector(Buffer.byteLength(data))
    this.#bytes.write(data, dataAt)
    const errno =
      offset === undefined
        ? await this.call('fd_write', fd, ...vector, answerAt)
        : await this.call('fd_pwrite', fd, ...vector, offset, answerAt)
    return errno === 0 ? { errno, count: this.#u32(answerAt) } : { errno }
  }

  async read(fd: number, size: number, offset?: bigint): Promise<WasiAnswer> {
    const vector = this.#vector(size)
    const errno =
      offset === undefined
        ? await this.call('fd_read', fd, ...vector, answerAt)
        : await this.call('fd_pread', fd, ...vector, offset, answerAt)
    if (errno !== 0) return { errno }
    return { errno, data: this.#bytes.toString('latin1', dataAt, dataAt + this.#u32(answerAt)) }
  }

  async seek(fd: number, delta: bigint, whence: number): Promise<WasiAnswer> {
    const errno = await this.call('fd_seek', fd, delta, whence, answerAt)
    return errno === 0 ? { errno, count: Number(this.#bytes.readBigUInt64LE(answerAt)) } : { errno }
  }

  async stat(directory: number, path: string): Promise<WasiAnswer> {
    return this.#stat(await this.call('path_filestat_get', directory, 1, ...this.#path(path), answerAt))
  }

  async statOpen(fd: number): Promise<WasiAnswer> {
    return this.#stat(await this.call('fd_filestat_get', fd, answerAt))
  }

  async onPath(name: string, directory: number, path: string): Promise<WasiAnswer> {
    return { errno: await this.call(name, directory, ...this.#path(path)) }
  }

  async rename(from: number, path: string, to: number, other: string): Promise<WasiAnswer> {
    const old = this.#path(path)
    return { errno: await this.call('path_rename', from, ...old, to, ...this.#path(other, otherPathAt)) }
  }

  /** All names, asked for in pieces of so many bytes, sorted. */
  async list(fd: number, piece = 4096): Promise<WasiAnswer> {
    const names: string[] = []
    let cookie = 0n
    for (;;) {
      const errno = await this.call('fd_readdir', fd, dataAt, piece, cookie, answerAt)
      if (errno !== 0) return { errno }
      const used = this.#u32(answerAt)
      const whole = this.#dirents(used)
      for (const { name, next } of whole) {
        names.push(name)
        cookie = next
      }
      if (used < piece) return { errno, names: names.sort() }
      if (whole.length === 0) throw new Error('the piece is too small for a name')
    }
  }

  /** Any function, with what it takes. */
  async call(name: string, ...parameters: (number | bigint)[]): Promise<number> {
    return this.#functions[name]!(...parameters)
  }

  #dirents(used: number): { name: string; next: bigint }[] {
    const bytes = this.#bytes
    const found: { name: string; next: bigint }[] = []
    for (let at = dataAt; at + 24 <= dataAt + used; ) {
      const end = at + 24 + bytes.readUInt32LE(at + 16)
      if (end > dataAt + used) break
      found.push({ name: bytes.toString('utf8', at + 24, end), next: bytes.readBigUInt64LE(at) })
      at = end
    }
    return found
  }

  #stat(errno: number): WasiAnswer {
    if (errno !== 0) return { errno }
    const bytes = this.#bytes
    const size = Number(bytes.readBigUInt64LE(answerAt + 32))
    const number = bytes.readBigUInt64LE(answerAt + 8)
    return {
      errno,
      stat: { type: bytes.readUInt8(answerAt + 16), size, number, modifiedNs: bytes.readBigUInt64LE(answerAt + 48) },
    }
  }

  #path(path: string, at = pathAt): [number, number] {
    return [at, this.#bytes.write(path, at)]
  }

  /** One vector in two parts. */
  #vector(size: number): [number, number] {
    const half = size >>> 1
    const words = [dataAt, half, dataAt + half, size - half]
    for (const [index, word] of words.entries()) this.#bytes.writeUInt32LE(word, vectorAt + index * 4)
    return [vectorAt, 2]
  }

  #u32(at: number): number {
    return this.#bytes.readUInt32LE(at)
  }

  get #bytes(): Buffer {
    return Buffer.from(this.memory.buffer)
  }
}

/** An instance with a memory of 1 MiB, metered as all that the engine runs. */
export function memoryInstance(): WasmInstance {
  const text = '(module (memory (export "memory") 16) (func (export "start") (param i32) (result i32) (i32.const 0)))'
  return new wasm.Instance(new wasm.Module(createEngine().prepare(assemble(text)).bytes), {})
}

/** The engine's WASI within one call. {@link end} ends it. */
export function engineWasi(
  host: RecordingHost,
  options: Parameters<typeof testCall>[2] = {},
): { driver: WasiDriver; state: CallState; end: () => void } {
  const instance = memoryInstance()
  const guest = new Guest()
  guest.attach(instance)
  const state = new CallState(testCall('start', host, options))
  guest.meter.arm(state.limits)
  guest.begin(state)
  const functions = Object.fromEntries(wasiFunctions.map(({ name, bind }) => [name, bind(guest) as Functions[string]]))
  return { driver: new WasiDriver(functions, instance.exports.memory as WasmMemory), state, end: () => guest.end() }
}

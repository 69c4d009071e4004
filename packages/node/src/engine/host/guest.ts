import { isUtf8 } from 'node:buffer'
import { EngineError } from '../errors.ts'
import type { WasmInstance, WasmMemory } from '../webassembly.ts'
import { CallEnd, isGuestTrap } from './call-end.ts'
import type { CallState } from './call-state.ts'
import { hostFuel } from './host-fuel.ts'
import { type Line, LineBuffer } from './line-buffer.ts'
import { Meter } from './meter.ts'
import { logLevel, status } from './status.ts'
import { trapWords } from './trap.ts'

type Alloc = (size: number) => number

/**
 * The guest as host functions see it: its memory, its allocator, and the call that is running. One per instance. Every
 * address and size comes from the guest and is unsigned; nothing is read or written outside its memory.
 */
export class Guest {
  /** Standard output and error of the guest: log lines in the making. */
  readonly output: readonly [LineBuffer, LineBuffer]
  #call: CallState | undefined
  #memory: WasmMemory | undefined
  #bytes: Buffer = Buffer.alloc(0)
  #view = new DataView(new ArrayBuffer(0))
  #alloc: Alloc | undefined
  #meter: Meter | undefined
  #allocating = false
  #initialising = false

  constructor() {
    const write: Line = (text) => this.call.log(logLevel.debug, 'wasmCode', text)
    this.output = [new LineBuffer(write), new LineBuffer(write)]
  }

  attach(instance: WasmInstance): void {
    this.#memory = instance.exports.memory as WasmMemory
    this.#alloc = instance.exports.alloc as Alloc | undefined
    this.#meter = new Meter(instance)
    this.#refresh()
  }

  /** Its counters of fuel and stack. */
  get meter(): Meter {
    return this.#meter!
  }

  get call(): CallState {
    return this.#call!
  }

  /** @param initialising the call is none of a handler: the module's own start runs before there is an event */
  begin(call: CallState, initialising = false): void {
    this.#call = call
    this.#initialising = initialising
    this.#allocating = false
  }

  get initialising(): boolean {
    return this.#initialising
  }

  /** Whether the guest runs its allocator for the host, which stands between it and its handler and cannot be suspended. */
  get allocating(): boolean {
    return this.#allocating
  }

  /** Refuses what cannot be done at this moment. */
  notNow(name: string, moment: string): number {
    this.complain(`${name} cannot be called ${moment}`)
    return status.failed
  }

  /** Writes out what the guest printed without a newline, and what it wrote into files that it did not close. */
  end(): void {
    this.call.closeFiles()
    for (const buffer of this.output) buffer.flush()
    this.call.reportDroppedLines()
    this.#call = undefined
  }

  /** The memory as it is now. A view must not be kept across anything that runs guest code. */
  get bytes(): Buffer {
    // Growing a memory detaches its buffer, and views of a detached buffer have no length.
    if (this.#bytes.length === 0) this.#refresh()
    return this.#bytes
  }

  get view(): DataView {
    if (this.#bytes.length === 0) this.#refresh()
    return this.#view
  }

  contains(pointer: number, size: number): boolean {
    return (pointer >>> 0) + (size >>> 0) <= this.bytes.length
  }

  /** A copy of what lies there; nothing, and a line in the log, when it is outside the memory or too large. */
  read(pointer: number, size: number): Uint8Array | undefined {
    if (!this.#readable(pointer, size)) return undefined
    const start = pointer >>> 0
    return new Uint8Array(this.bytes.subarray(start, start + (size >>> 0)))
  }

  /** The text that lies there; what is not UTF-8 in it becomes U+FFFD. */
  text(pointer: number, size: number): string | undefined {
    if (!this.#readable(pointer, size)) return undefined
    const start = pointer >>> 0
    return this.bytes.toString('utf8', start, start + (size >>> 0))
  }

  /** The text that lies there, which must be UTF-8: two keys that differ must not become one. */
  key(pointer: number, size: number): string | undefined {
    const text = this.text(pointer, size)
    if (text === undefined || !text.includes('\ufffd')) return text
    const start = pointer >>> 0
    if (isUtf8(this.bytes.subarray(start, start + (size >>> 0)))) return text
    this.complain('key is not UTF-8')
    return undefined
  }

  /**
   * Gives bytes to the guest: asks its `alloc` for room, copies, and writes address and size where the guest wants them.
   * @returns {@link status} 0 or 5
   */
  handOver(data: Uint8Array, addressAt: number, sizeAt: number): number {
    const { transferBytes } = this.call.limits
    if (data.length > transferBytes) {
      this.call.hit('TRANSFER_LIMIT')
      this.complain(`${data.length} bytes are more than the ${transferBytes} that one host call may hand over`)
      return status.dataToGuest
    }
    this.chargeBytes(data.length)
    const address = this.#allocate(data.length)
    if (address === undefined) return status.dataToGuest
    if (!this.contains(address, data.length) || !this.contains(addressAt, 4) || !this.contains(sizeAt, 4)) {
      this.complain(`overflow: no room for ${data.length} bytes at ${address}, ${addressAt >>> 0}, ${sizeAt >>> 0}`)
      return status.dataToGuest
    }
    this.bytes.set(data, address)
    this.view.setUint32(addressAt >>> 0, address, true)
    this.view.setUint32(sizeAt >>> 0, data.length, true)
    return status.ok
  }

  handOverText(text: string, addressAt: number, sizeAt: number): number {
    return this.handOver(Buffer.from(text, 'utf8'), addressAt, sizeAt)
  }

  /** A line of the host about what the guest asked for. */
  complain(message: string): void {
    this.call.log(logLevel.error, 'wasmExportFunc', message)
  }

  /** Takes fuel for bytes that cross between guest and host. Traps when there is not enough left. */
  chargeBytes(size: number): void {
    this.meter.charge(Math.ceil(size / hostFuel.bytesPerUnit))
  }

  /** @throws CallEnd when the call has used up its host calls */
  countHostCall(): void {
    if (this.call.hostCalls-- > 0) return
    throw new CallEnd('HOST_CALL_LIMIT', `more than ${this.call.limits.hostCalls} calls of host functions`)
  }

  /** Keeps an error of the node, so that it leaves the call even if something swallows it on the way. */
  fail(error: unknown): never {
    if (!(error instanceof CallEnd) && !isGuestTrap(error)) this.call.fault ??= { error }
    throw error
  }

  /** Continues with a host's answer, at once or when it has arrived. */
  whenAnswered<T>(answer: T | Promise<T>, next: (value: T) => number): number | Promise<number> {
    return answer instanceof Promise ? answer.then(next) : next(answer)
  }

  blocked(name: string): never {
    throw new EngineError({ code: 'HOST_BLOCKED', function: name })
  }

  #allocate(size: number): number | undefined {
    if (this.#alloc === undefined) {
      this.complain('the module exports no alloc')
      return undefined
    }
    // An allocator that asks for data, which needs the allocator, would recurse through host frames without end.
    if (this.#allocating) {
      this.complain('alloc asked the host for data')
      return undefined
    }
    this.#allocating = true
    const { stackBytes } = this.meter
    try {
      return this.#alloc(size) >>> 0
    } catch (error) {
      // What ends the call is not for its host functions to hide.
      if (!isGuestTrap(error) || this.meter.exhausted) throw error
      this.meter.stackBytes = stackBytes
      this.complain(`alloc(${size}) trapped: ${trapWords(error)}`)
      return undefined
    } finally {
      this.#allocating = false
    }
  }

  #readable(pointer: number, size: number): boolean {
    const { transferBytes } = this.call.limits
    if (size >>> 0 > transferBytes) this.call.hit('TRANSFER_LIMIT')
    else if (this.contains(pointer, size)) {
      this.chargeBytes(size >>> 0)
      return true
    }
    this.complain(`overflow: ${size >>> 0} bytes at ${pointer >>> 0}; memory has ${this.bytes.length}`)
    return false
  }

  #refresh(): void {
    if (this.#memory === undefined) return
    const { buffer } = this.#memory
    this.#bytes = Buffer.from(buffer)
    this.#view = new DataView(buffer)
  }
}

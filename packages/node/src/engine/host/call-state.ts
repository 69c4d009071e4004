import { createHash } from 'node:crypto'
import type { CallLimits, HandlerCall, HostContext, LimitCode } from '../engine.ts'
import { pageBytes } from '../limits.ts'
import { FileTable } from '../wasi/files/file-table.ts'
import { logLevel } from './status.ts'

/** Resources that one call may make beside the one that it is given. */
const maxResources = 10_000

/** Everything that belongs to one call of a handler and ends with it. */
export class CallState {
  readonly host: HostContext
  readonly limits: CallLimits
  /** The resource that the handler is given: positive, 31 bits, from the seed. */
  readonly rid: number
  /** What a reducer is given first: the accumulator's resource, or 0 when there is none yet. */
  readonly accumulatorRid: number
  /** An error of the node, which ends the call whatever the guest does. */
  fault: { readonly error: unknown } | undefined
  /** Host calls that are left. */
  hostCalls: number
  readonly #seed: Uint8Array
  readonly #payload: Uint8Array
  #clockNs: bigint
  #resources: Map<number, Uint8Array> | undefined
  #resourceBytes = 0
  #logLines = 0
  #droppedLines = 0
  #limitsHit: Set<LimitCode> | undefined
  #draws = 0n
  #files: FileTable | undefined

  constructor(call: HandlerCall) {
    this.host = call.host
    this.limits = call.limits
    this.hostCalls = call.limits.hostCalls
    this.#payload = call.payload
    this.#clockNs = call.clockNs
    this.#seed = call.seed
    const [a = 0, b = 0, c = 0, d = 0] = call.seed
    this.rid = ((a & 0x7f) << 24) | (b << 16) | (c << 8) | d || 1
    this.accumulatorRid = call.accumulator ? this.rid ^ 1 || 2 : 0
    if (call.accumulator) this.setResource(this.accumulatorRid, call.accumulator)
  }

  /** The batch's time; a guest that sleeps moves it on for itself. */
  get clockNs(): bigint {
    return this.#clockNs
  }

  sleep(ns: bigint): void {
    this.#clockNs = BigInt.asUintN(64, this.#clockNs + ns)
  }

  /** Notes that a limit refused something. */
  hit(limit: LimitCode): void {
    this.#limitsHit ??= new Set()
    this.#limitsHit.add(limit)
  }

  /** Each once, in the order of their first refusal; nothing when none refused anything. */
  get limitsHit(): readonly LimitCode[] | undefined {
    return this.#limitsHit && [...this.#limitsHit]
  }

  get files(): FileTable {
    this.#files ??= new FileTable(this.host.files(), () => this.#clockNs)
    return this.#files
  }

  /** Closes what the guest left open, which puts what it wrote where it counts. */
  closeFiles(): void {
    this.#files?.closeAll()
    this.#files = undefined
  }

  resource(rid: number): Uint8Array | undefined {
    return this.#resources?.get(rid) ?? (rid === this.rid ? this.#payload : undefined)
  }

  /** @returns false when the call keeps as much as it may: the guest's memory limit, again, outside of it */
  setResource(rid: number, data: Uint8Array): boolean {
    const kept = this.#resourceBytes + data.length - (this.#resources?.get(rid)?.length ?? 0)
    this.#resources ??= new Map()
    const tooMany = this.#resources.size >= maxResources && !this.#resources.has(rid)
    if (tooMany || kept > this.limits.memoryPages * pageBytes) {
      this.hit('RESOURCE_LIMIT')
      return false
    }
    this.#resourceBytes = kept
    this.#resources.set(rid, data)
    return true
  }

  log(level: number, source: 'wasmCode' | 'wasmExportFunc', message: string): void {
    if (this.#logLines < this.limits.logLines) {
      this.#logLines++
      this.host.log(level, source, message)
    } else {
      this.#droppedLines++
      this.hit('LOG_LIMIT')
    }
  }

  reportDroppedLines(): void {
    if (this.#droppedLines === 0) return
    this.host.log(logLevel.warning, 'wasmExportFunc', `${this.#droppedLines} more log lines were dropped`)
  }

  /** Fills with SHAKE256 of the seed and, as a little-endian u64, the number of times the call asked before. */
  random(into: Uint8Array): void {
    if (into.length === 0) return
    const counter = Buffer.alloc(8)
    counter.writeBigUInt64LE(this.#draws++)
    into.set(createHash('shake256', { outputLength: into.length }).update(this.#seed).update(counter).digest())
  }
}

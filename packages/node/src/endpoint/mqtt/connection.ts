import type { Duplex } from 'node:stream'
import type { Budget } from './budget.ts'
import { FrameReader } from './codec/frame-reader.ts'
import { reason } from './codec/reason.ts'
import { MqttError, violation } from './errors.ts'
import type { Flusher } from './flusher.ts'
import type { MqttLimits } from './options.ts'

/** Why a connection is not read at the moment; bits, as there can be several reasons. */
export const hold = {
  /** A step of the protocol is under way: authentication, or the check of a subscription. */
  step: 1,
  /** Enough messages are on their way to the commit. */
  inflight: 2,
  /** The project takes no more work. */
  busy: 4,
  /** The client does not read its answers. */
  drain: 8,
  stopping: 16,
} as const

/** Who understands the packets of a connection. */
export interface ConnectionHandler {
  /** A whole packet, at which `reader` stands. @throws MqttError */
  packet(reader: FrameReader): void
  /** The peer, or its network, broke the protocol; the connection closes after this. */
  broken(error: MqttError): void
  /** The client reads again. */
  drained(): void
  closed(): void
}

export interface ConnectionDeps {
  readonly limits: MqttLimits
  readonly flusher: Flusher
  /** Bytes of unfinished packets, of all connections. */
  readonly partial: Budget
}

/** How long a peer may take to receive the last packet and close, milliseconds. */
const lingerMs = 2000
/** Partial packets up to this size are not counted against the shared budget. */
const freePartialBytes = 4096

/** A byte stream to a peer: cuts it into packets, gathers what is written, and stops reading when told to. */
export class Connection {
  readonly reader = new FrameReader()
  /** When the last bytes came, milliseconds since 1970. */
  lastReceivedAt = Date.now()
  /** The largest packet accepted now. */
  packetBytes: number
  /** MQTT 5: lengths must be in their shortest form. */
  shortestLengths = false
  readonly #socket: Duplex
  readonly #deps: ConnectionDeps
  /** Changes once, from the handshake to the client. */
  handler: ConnectionHandler
  #holds = 0
  #reading = false
  #peerEnded = false
  #closing = false
  #closed = false
  #acks: number[] = []
  #pending: Uint8Array[] = []
  #pendingBytes = 0
  #scheduled = false
  #partialBytes = 0
  #linger: NodeJS.Timeout | undefined

  constructor(socket: Duplex, handler: ConnectionHandler, deps: ConnectionDeps) {
    this.#socket = socket
    this.handler = handler
    this.#deps = deps
    this.packetBytes = deps.limits.connectPacketBytes
    socket.on('data', (chunk: Buffer) => this.#received(chunk))
    socket.on('drain', () => this.#drained())
    socket.on('error', () => this.destroy())
    socket.on('end', () => this.#ended())
    socket.on('close', () => this.#gone())
  }

  get open(): boolean {
    return !this.#closing && !this.#closed
  }

  get held(): boolean {
    return this.#holds !== 0
  }

  /** The peer takes its answers more slowly than they come. */
  get draining(): boolean {
    return (this.#holds & hold.drain) !== 0
  }

  /** Bytes that wait for the peer. */
  get unsentBytes(): number {
    return this.#socket.writableLength + this.#pendingBytes
  }

  /** Stops reading; the packet at hand is finished. */
  hold(why: number): void {
    if (this.#holds === 0) this.#socket.pause()
    this.#holds |= why
  }

  release(why: number): void {
    if ((this.#holds & why) === 0) return
    this.#holds &= ~why
    // What the peer sent meanwhile could not be read, so its silence counts from now.
    this.lastReceivedAt = Date.now()
    if (this.#holds !== 0 || this.#reading || !this.open) return
    this.#read()
    if (this.#holds !== 0 || !this.open) return
    if (this.#peerEnded) this.destroy()
    else this.#socket.resume()
  }

  send(bytes: Uint8Array): void {
    if (!this.open) return
    this.#pending.push(bytes)
    this.#pendingBytes += bytes.length
    this.#schedule()
  }

  /** A PUBACK without reason and properties, the same in all versions. */
  sendPuback(packetId: number): void {
    if (!this.open) return
    this.#acks.push(packetId)
    this.#schedule()
  }

  /** Writes what was gathered in this turn. */
  flush(): void {
    this.#scheduled = false
    if (this.#closed) return
    const acks = this.#takeAcks()
    const pending = this.#pending
    this.#pending = []
    this.#pendingBytes = 0
    if (acks) pending.unshift(acks)
    if (pending.length === 0) return
    const flowing = this.#socket.write(pending.length === 1 ? pending[0]! : Buffer.concat(pending))
    if (!flowing) this.hold(hold.drain)
  }

  /** Sends a last packet, if any, and closes. */
  end(last?: Uint8Array): void {
    if (!this.open) return
    if (last) this.send(last)
    this.#closing = true
    this.flush()
    this.#socket.end()
    // Reading on lets the peer's FIN arrive; its bytes are thrown away.
    this.reader.clear()
    this.#socket.resume()
    this.#linger = setTimeout(() => this.destroy(), lingerMs).unref()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #received(chunk: Buffer): void {
    if (!this.open) return
    this.lastReceivedAt = Date.now()
    this.reader.push(chunk)
    if (!this.held) this.#read()
  }

  #read(): void {
    const { reader } = this
    this.#reading = true
    try {
      while (this.#holds === 0 && this.open && reader.next(this.packetBytes, this.shortestLengths))
        this.handler.packet(reader)
      this.#countPartial()
    } catch (error) {
      if (!(error instanceof MqttError)) throw error
      this.handler.broken(error)
    } finally {
      this.#reading = false
    }
  }

  /** One peer's unfinished packet is bounded by its size, those of all peers together by the budget. */
  #countPartial(): void {
    const bytes = this.open && this.reader.buffered > freePartialBytes ? this.reader.buffered : 0
    if (bytes === this.#partialBytes) return
    const { partial } = this.#deps
    const grew = bytes > this.#partialBytes
    partial.take(bytes - this.#partialBytes)
    this.#partialBytes = bytes
    if (grew && partial.exhausted) throw violation(reason.serverBusy, 'too many unfinished packets')
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#deps.flusher.schedule(this)
  }

  #takeAcks(): Buffer | undefined {
    const ids = this.#acks
    if (ids.length === 0) return undefined
    const bytes = Buffer.allocUnsafe(4 * ids.length)
    let at = 0
    for (const id of ids) {
      bytes[at++] = 0x40
      bytes[at++] = 2
      bytes[at++] = id >> 8
      bytes[at++] = id & 0xff
    }
    this.#acks = []
    return bytes
  }

  /** What was received and not yet read is still read: a device may send and leave. */
  #ended(): void {
    this.#peerEnded = true
    if (!this.held || !this.open) this.destroy()
  }

  #drained(): void {
    this.release(hold.drain)
    if (this.open) this.handler.drained()
  }

  #gone(): void {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#linger)
    this.reader.clear()
    this.#deps.partial.give(this.#partialBytes)
    this.#partialBytes = 0
    this.handler.closed()
  }
}

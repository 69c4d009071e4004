import { violation } from '../errors.ts'
import { reason } from './reason.ts'

const none = Buffer.alloc(0)

/**
 * Cuts a byte stream into packets without copying them, except for the one that straddles two chunks. After `next()`
 * returned true, `head` is the packet's first byte and its body is `bytes[start … end)`.
 */
export class FrameReader {
  bytes: Buffer = none
  head = 0
  start = 0
  end = 0
  #offset = 0
  /** Chunks that are waiting for the rest of a packet, and how many bytes are wanted before looking again. */
  #waiting: Buffer[] = []
  #waitingBytes = 0
  #wanted = 0

  /** Bytes held, for the memory bound. */
  get buffered(): number {
    return this.bytes.length - this.#offset + this.#waitingBytes
  }

  push(chunk: Buffer): void {
    if (this.#offset === this.bytes.length && this.#waitingBytes === 0) {
      this.bytes = chunk
      this.#offset = 0
      return
    }
    this.#waiting.push(chunk)
    this.#waitingBytes += chunk.length
  }

  /**
   * Moves to the next whole packet.
   * @param limit the most bytes a packet may have, its header included; checked before the packet is waited for
   * @param shortest refuse a length that is not in its shortest form: MQTT 5 [MQTT-1.5.5-1]; older modules pad it
   * @throws MqttError packet too large, malformed packet
   */
  next(limit: number, shortest: boolean): boolean {
    if (this.#waitingBytes > 0) {
      if (this.buffered < this.#wanted) return false
      this.#join()
    }
    const at = this.#offset
    const available = this.bytes.length - at
    if (available < 2) return this.#wait(2)
    let length = 0
    let digits = 0
    for (; ; digits++) {
      if (digits === 4) throw violation(reason.malformedPacket, 'remaining length')
      if (digits + 1 >= available) return this.#wait(available + 1)
      const byte = this.bytes[at + 1 + digits]!
      length += (byte & 0x7f) * 0x80 ** digits
      if (byte >= 0x80) continue
      if (shortest && byte === 0 && digits > 0) throw violation(reason.malformedPacket, 'remaining length')
      break
    }
    const total = 2 + digits + length
    if (total > limit) throw violation(reason.packetTooLarge, `packet of ${total} bytes, limit ${limit}`)
    if (available < total) return this.#wait(total)
    this.head = this.bytes[at]!
    this.start = at + 2 + digits
    this.end = at + total
    this.#offset = this.end
    return true
  }

  /** Forgets everything, so that a closed connection holds no memory. */
  clear(): void {
    this.bytes = none
    this.#offset = 0
    this.#waiting = []
    this.#waitingBytes = 0
  }

  #wait(bytes: number): false {
    this.#wanted = bytes
    // A small remainder must not keep a large chunk alive.
    if (this.#offset > 0) {
      this.bytes = Buffer.from(this.bytes.subarray(this.#offset))
      this.#offset = 0
    }
    return false
  }

  #join(): void {
    this.bytes = Buffer.concat([this.bytes.subarray(this.#offset), ...this.#waiting])
    this.#offset = 0
    this.#waiting = []
    this.#waitingBytes = 0
  }
}

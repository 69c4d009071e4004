import { isUtf8 } from 'node:buffer'
import { violation } from '../errors.ts'
import { reason } from './reason.ts'

/** Reads the data types of MQTT 5 section 1.5 from a packet; whatever is cut short or ill-formed is malformed. */
export class Cursor {
  readonly #bytes: Buffer
  readonly #end: number
  position: number

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes
    this.position = start
    this.#end = end
  }

  get remaining(): number {
    return this.#end - this.position
  }

  u8(): number {
    return this.#bytes[this.#take(1)]!
  }

  u16(): number {
    return this.#bytes.readUInt16BE(this.#take(2))
  }

  u32(): number {
    return this.#bytes.readUInt32BE(this.#take(4))
  }

  /** A variable byte integer in its shortest form [MQTT-1.5.5-1]. */
  varint(): number {
    let value = 0
    for (let i = 0; i < 4; i++) {
      const byte = this.u8()
      value += (byte & 0x7f) * 0x80 ** i
      if (byte < 0x80) {
        if (byte === 0 && i > 0) break
        return value
      }
    }
    throw violation(reason.malformedPacket, 'variable byte integer')
  }

  /** A view of a two-byte length and so many bytes. */
  binary(): Buffer {
    return this.raw(this.u16())
  }

  text(): string {
    const length = this.u16()
    const start = this.#take(length)
    return readText(this.#bytes, start, start + length)
  }

  raw(length: number): Buffer {
    const start = this.#take(length)
    return this.#bytes.subarray(start, start + length)
  }

  /** Everything that is left. */
  rest(): Buffer {
    return this.raw(this.remaining)
  }

  /** @throws MqttError when bytes are left that belong to no field */
  finish(): void {
    if (this.remaining > 0) throw violation(reason.malformedPacket, `${this.remaining} trailing bytes`)
  }

  #take(length: number): number {
    const start = this.position
    if (start + length > this.#end) throw violation(reason.malformedPacket, 'packet too short')
    this.position = start + length
    return start
  }
}

/** UTF-8 text without U+0000 [MQTT-1.5.4-1] [MQTT-1.5.4-2]; a byte order mark is kept [MQTT-1.5.4-3]. */
export function readText(bytes: Buffer, start: number, end: number): string {
  let highest = 0
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!
    if (byte === 0) throw violation(reason.malformedPacket, 'text contains U+0000')
    highest |= byte
  }
  if (highest < 0x80) return bytes.toString('latin1', start, end)
  if (!isUtf8(bytes.subarray(start, end))) throw violation(reason.malformedPacket, 'text is not UTF-8')
  return bytes.toString('utf8', start, end)
}

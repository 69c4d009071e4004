import { ProtocolError } from '../error.ts'

/**
 * Canonical binary form shared by messages, batches and receipts: unsigned LEB128 integers in their shortest form,
 * byte strings and UTF-8 text preceded by their length. One value has exactly one encoding.
 */
export class Writer {
  #bytes: Uint8Array
  #length = 0

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity)
  }

  get length(): number {
    return this.#length
  }

  u8(value: number): this {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
    return this
  }

  /** @param value a safe integer, not negative */
  uint(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0)
      throw new ProtocolError({ code: 'CODEC_VALUE', field: 'uint', value: `${value}`, wanted: '0 … 2^53-1' })
    this.#reserve(8)
    let rest = value
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.#bytes[this.#length++] = rest
    return this
  }

  /** @param value 0 … 2^64-1, as eight bytes, big-endian */
  u64(value: bigint): this {
    scratch.setBigUint64(0, value)
    return this.raw(scratchBytes)
  }

  /** @param value a 32-bit signed integer, as four bytes, big-endian */
  i32(value: number): this {
    this.#reserve(4)
    this.#bytes[this.#length++] = value >> 24
    this.#bytes[this.#length++] = value >> 16
    this.#bytes[this.#length++] = value >> 8
    this.#bytes[this.#length++] = value
    return this
  }

  /** Bytes of a length that both sides know. */
  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
    return this
  }

  bytes(bytes: Uint8Array): this {
    return this.uint(bytes.length).raw(bytes)
  }

  text(text: string): this {
    // Short ASCII, the usual case, is written without the encoder.
    if (text.length < 64) {
      this.#reserve(text.length + 1)
      const bytes = this.#bytes
      const start = this.#length + 1
      let i = 0
      for (; i < text.length; i++) {
        const unit = text.charCodeAt(i)
        if (unit > 0x7f) break
        bytes[start + i] = unit
      }
      if (i === text.length) {
        bytes[start - 1] = i
        this.#length = start + i
        return this
      }
    }
    return this.bytes(utf8.encode(text))
  }

  /** Forgets what was written; views of it change with what is written next. */
  clear(): this {
    this.#length = 0
    return this
  }

  /** What was written, as a view of this writer's buffer. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  /** What was written, as a copy. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + size))
    grown.set(this.view())
    this.#bytes = grown
  }
}

/** For numbers of eight bytes: a view of each buffer would cost more than the rest of a message's encoding. */
const scratchBytes = new Uint8Array(8)
const scratch = new DataView(scratchBytes.buffer)
const utf8 = new TextEncoder()
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Reads what {@link Writer} wrote; refuses truncated, overlong and trailing bytes with a `ProtocolError`. */
export class Reader {
  readonly #bytes: Uint8Array
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get offset(): number {
    return this.#offset
  }

  u8(): number {
    const byte = this.#bytes[this.#offset]
    if (byte === undefined) this.#truncated(1)
    this.#offset++
    return byte
  }

  uint(): number {
    let value = 0
    let scale = 1
    for (let i = 0; i < 8; i++) {
      const byte = this.#bytes[this.#offset]
      if (byte === undefined) this.#truncated(1)
      this.#offset++
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if (byte === 0 && i > 0) this.#overlong('shortest form')
        if (!Number.isSafeInteger(value)) this.#overlong('at most 2^53-1')
        return value
      }
      scale *= 0x80
    }
    return this.#overlong('at most 8 bytes')
  }

  u64(): bigint {
    for (let i = 0; i < 8; i++) scratchBytes[i] = this.u8()
    return scratch.getBigUint64(0)
  }

  i32(): number {
    return (this.u8() << 24) | (this.u8() << 16) | (this.u8() << 8) | this.u8()
  }

  /** A view of the next `length` bytes. */
  raw(length: number): Uint8Array {
    if (this.#offset + length > this.#bytes.length) this.#truncated(length)
    const view = this.#bytes.subarray(this.#offset, this.#offset + length)
    this.#offset += length
    return view
  }

  /** @param limit the most bytes that are accepted, checked before they are read */
  bytes(field: string, limit: number): Uint8Array {
    const length = this.uint()
    if (length > limit) throw new ProtocolError({ code: 'CODEC_LIMIT', field, size: length, limit })
    return this.raw(length)
  }

  text(field: string, limitBytes: number): string {
    const length = this.uint()
    if (length > limitBytes) throw new ProtocolError({ code: 'CODEC_LIMIT', field, size: length, limit: limitBytes })
    const short = length < 64 ? this.#ascii(length) : undefined
    if (short !== undefined) return short
    const bytes = this.raw(length)
    try {
      return strictUtf8.decode(bytes)
    } catch (cause) {
      throw new ProtocolError({ code: 'CODEC_VALUE', field, value: 'bytes', wanted: 'UTF-8' }, { cause })
    }
  }

  /** @throws ProtocolError CODEC_TRAILING when bytes are left */
  end(): void {
    const trailing = this.#bytes.length - this.#offset
    if (trailing > 0) throw new ProtocolError({ code: 'CODEC_TRAILING', offset: this.#offset, trailing })
  }

  /** Short ASCII without the decoder, eight at a time because text that grows letter by letter is slow to use. */
  #ascii(length: number): string | undefined {
    const bytes = this.#bytes
    const end = this.#offset + length
    if (end > bytes.length) this.#truncated(length)
    let text = ''
    let i = this.#offset
    for (; i + 8 <= end; i += 8) {
      const [a, b, c, d] = [bytes[i]!, bytes[i + 1]!, bytes[i + 2]!, bytes[i + 3]!]
      const [e, f, g, h] = [bytes[i + 4]!, bytes[i + 5]!, bytes[i + 6]!, bytes[i + 7]!]
      if ((a | b | c | d | e | f | g | h) > 0x7f) return undefined
      text += String.fromCharCode(a, b, c, d, e, f, g, h)
    }
    for (; i < end; i++) {
      const unit = bytes[i]!
      if (unit > 0x7f) return undefined
      text += String.fromCharCode(unit)
    }
    this.#offset = end
    return text
  }

  #truncated(wanted: number): never {
    const available = this.#bytes.length - this.#offset
    throw new ProtocolError({ code: 'CODEC_TRUNCATED', offset: this.#offset, wanted, available })
  }

  #overlong(wanted: string): never {
    throw new ProtocolError({ code: 'CODEC_VALUE', field: `uint at ${this.#offset}`, value: 'overlong', wanted })
  }
}

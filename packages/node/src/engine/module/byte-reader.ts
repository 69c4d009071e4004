import { EngineError } from '../errors.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function malformed(problem: string): EngineError {
  return new EngineError({ code: 'MODULE_INVALID', problems: [problem] })
}

/** Reads the primitive values of the WebAssembly binary format (core specification, section 5.2) within bounds. */
export class ByteReader {
  readonly bytes: Uint8Array
  readonly end: number
  at: number

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes
    this.at = start
    this.end = end
  }

  get done(): boolean {
    return this.at >= this.end
  }

  u8(): number {
    if (this.at >= this.end) throw malformed(`unexpected end at byte ${this.at}`)
    return this.bytes[this.at++]!
  }

  /** Unsigned LEB128 of at most 32 bits. */
  u32(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8()
      if (shift === 28 && byte > 0x0f) throw malformed(`integer too large at byte ${this.at}`)
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw malformed(`integer too long at byte ${this.at}`)
  }

  /** Passes over a LEB128 of at most `bits` bits, signed or not. */
  skipLeb(bits: 32 | 33 | 64): void {
    const most = Math.ceil(bits / 7)
    for (let length = 1; length <= most; length++) if (this.u8() < 0x80) return
    throw malformed(`integer too long at byte ${this.at}`)
  }

  skip(count: number): void {
    if (count > this.end - this.at) throw malformed(`unexpected end at byte ${this.end}`)
    this.at += count
  }

  name(): string {
    const size = this.u32()
    const start = this.at
    this.skip(size)
    try {
      return utf8.decode(this.bytes.subarray(start, this.at))
    } catch {
      throw malformed(`name is not UTF-8 at byte ${start}`)
    }
  }

  /** A vector: its length, then its elements, each of at least one byte. */
  vector<T>(element: () => T): T[] {
    const count = this.u32()
    if (count > this.end - this.at) throw malformed(`vector of ${count} exceeds its section at byte ${this.at}`)
    const elements: T[] = []
    for (let n = 0; n < count; n++) elements.push(element())
    return elements
  }
}

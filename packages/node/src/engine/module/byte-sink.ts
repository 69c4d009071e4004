/** A growing run of bytes, for writing code: large modules are made of millions of pieces. */
export class ByteSink {
  #bytes: Uint8Array
  size = 0

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity)
  }

  /** What was written; valid until the next write. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.size)
  }

  clear(): void {
    this.size = 0
  }

  u8(value: number): void {
    if (this.size === this.#bytes.length) this.#grow(1)
    this.#bytes[this.size++] = value
  }

  u32(value: number): void {
    let rest = value >>> 0
    while (rest > 0x7f) {
      this.u8((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    this.u8(rest)
  }

  /** Signed LEB128 of a number that is not negative and below 2^31. */
  positive(value: number): void {
    let rest = value
    while (rest > 0x3f) {
      this.u8((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    this.u8(rest)
  }

  all(bytes: readonly number[]): void {
    for (const byte of bytes) this.u8(byte)
  }

  copy(source: Uint8Array, start: number, end: number): void {
    const length = end - start
    if (this.size + length > this.#bytes.length) this.#grow(length)
    if (length > 32) this.#bytes.set(source.subarray(start, end), this.size)
    else for (let n = 0; n < length; n++) this.#bytes[this.size + n] = source[start + n]!
    this.size += length
  }

  #grow(by: number): void {
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.size + by))
    larger.set(this.#bytes)
    this.#bytes = larger
  }
}

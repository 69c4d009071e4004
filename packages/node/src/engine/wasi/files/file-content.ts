/** The bytes of an open file, with room to grow. */
export class FileContent {
  #bytes: Buffer
  #size: number
  /** The bytes are somebody else's, to be copied before they are changed. */
  #shared = true

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#size = bytes.length
  }

  get size(): number {
    return this.#size
  }

  /** @returns how many bytes were there to be read */
  readInto(target: Uint8Array, offset: number): number {
    const length = Math.max(0, Math.min(target.length, this.#size - offset))
    if (length > 0) target.set(this.#bytes.subarray(offset, offset + length))
    return length
  }

  /** Writes; a gap behind the end becomes zeros. */
  write(bytes: Uint8Array, offset: number): void {
    const end = offset + bytes.length
    this.#own(Math.max(end, this.#size))
    if (offset > this.#size) this.#bytes.fill(0, this.#size, offset)
    this.#bytes.set(bytes, offset)
    this.#size = Math.max(this.#size, end)
  }

  resize(size: number): void {
    this.#own(size)
    if (size > this.#size) this.#bytes.fill(0, this.#size, size)
    this.#size = size
  }

  copy(): Uint8Array {
    return new Uint8Array(this.#bytes.subarray(0, this.#size))
  }

  /** Makes the bytes ours alone, with room for so many. */
  #own(size: number): void {
    if (!this.#shared && size <= this.#bytes.length) return
    const room = size > this.#size ? Math.max(size, this.#size * 2, 256) : this.#size
    const grown = Buffer.allocUnsafeSlow(room)
    this.#bytes.copy(grown, 0, 0, this.#size)
    this.#bytes = grown
    this.#shared = false
  }
}

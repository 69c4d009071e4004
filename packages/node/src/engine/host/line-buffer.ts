export type Line = (text: string) => void

const newline = 10

/** Cuts bytes that a guest prints into lines; a line that is longer than allowed is cut at a character's beginning. */
export class LineBuffer {
  readonly #write: Line
  #line: Buffer = Buffer.alloc(0)
  #length = 0

  constructor(write: Line) {
    this.#write = write
  }

  /** @param limit bytes of one line that are kept */
  push(bytes: Uint8Array, limit: number): void {
    let start = 0
    while (start < bytes.length) {
      const found = bytes.indexOf(newline, start)
      const end = found < 0 ? bytes.length : found
      this.#append(bytes.subarray(start, end), limit)
      if (found < 0) return
      this.#emit()
      start = found + 1
    }
  }

  flush(): void {
    if (this.#length > 0) this.#emit()
  }

  #append(part: Uint8Array, limit: number): void {
    const kept = part.subarray(0, Math.max(0, limit - this.#length))
    if (this.#length + kept.length > this.#line.length) {
      const larger = Buffer.alloc(Math.max(256, (this.#length + kept.length) * 2))
      larger.set(this.#line.subarray(0, this.#length))
      this.#line = larger
    }
    this.#line.set(kept, this.#length)
    this.#length += kept.length
  }

  #emit(): void {
    const text = this.#line.toString('utf8', 0, wholeCharacters(this.#line, this.#length))
    this.#length = 0
    this.#write(text)
  }
}

/** The largest length up to `length` that does not end inside a UTF-8 character that began properly. */
export function wholeCharacters(bytes: Uint8Array, length: number): number {
  for (let back = 1; back <= 3 && back <= length; back++) {
    const byte = bytes[length - back]!
    if (byte < 0x80) return length
    if (byte < 0xc0) continue
    const wanted = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
    return wanted > back ? length - back : length
  }
  return length
}

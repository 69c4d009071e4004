/** Encodings of the WebAssembly binary format, as plain arrays of bytes: the pieces are small. */

export function u32(value: number): number[] {
  const bytes: number[] = []
  let rest = value >>> 0
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80)
    rest >>>= 7
  }
  bytes.push(rest)
  return bytes
}

/** Signed LEB128 of 32 bits. */
export function s32(value: number): number[] {
  const bytes: number[] = []
  let rest = value | 0
  for (;;) {
    const low = rest & 0x7f
    rest >>= 7
    if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) {
      bytes.push(low)
      return bytes
    }
    bytes.push(low | 0x80)
  }
}

export function name(text: string): number[] {
  const bytes = new TextEncoder().encode(text)
  return [...u32(bytes.length), ...bytes]
}

export function vector(elements: readonly (readonly number[])[]): number[] {
  return [...u32(elements.length), ...elements.flat()]
}

export function limits(min: number, max: number | undefined): number[] {
  return max === undefined ? [0, ...u32(min)] : [1, ...u32(min), ...u32(max)]
}

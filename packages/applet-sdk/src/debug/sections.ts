/** Custom sections of a module: what compilers tell tools, and the code does not need. */

const customSection = 0
const codeSection = 10
const headerBytes = 8
const functionNames = 1

interface Section {
  readonly id: number
  /** Of custom sections only. */
  readonly name: string | undefined
  readonly begin: number
  readonly contents: number
  readonly end: number
}

/**
 * The module without the custom sections of these names. Offsets in its code stay as they are: AssemblyScript writes custom
 * sections behind all others.
 */
export function withoutSections(wasm: Uint8Array, names: ReadonlySet<string>): Uint8Array<ArrayBuffer> {
  const kept = sectionsOf(wasm).filter(({ name }) => name === undefined || !names.has(name))
  const parts = [wasm.subarray(0, headerBytes), ...kept.map(({ begin, end }) => wasm.subarray(begin, end))]
  return Uint8Array.from(Buffer.concat(parts))
}

/** Names of functions by their index, from the name section (core specification, appendix A.4.1); none without one. */
export function functionNamesOf(wasm: Uint8Array): Readonly<Record<number, string>> {
  const section = sectionsOf(wasm).find(({ name }) => name === 'name')
  const names: Record<number, string> = {}
  if (!section) return names
  const reader = new Cursor(wasm, section.contents)
  while (reader.at < section.end) {
    const id = wasm[reader.at++]
    const end = reader.u32() + reader.at
    if (id === functionNames) {
      for (let left = reader.u32(); left > 0; left--) {
        const index = reader.u32()
        names[index] = reader.text()
      }
      return names
    }
    reader.at = end
  }
  return names
}

/** Offsets at which the bodies of functions begin, ascending. */
export function bodiesOf(wasm: Uint8Array): readonly number[] {
  const section = sectionsOf(wasm).find(({ id }) => id === codeSection)
  if (!section) return []
  const reader = new Cursor(wasm, section.contents)
  return Array.from({ length: reader.u32() }, () => {
    const size = reader.u32()
    reader.at += size
    return reader.at - size
  })
}

function sectionsOf(wasm: Uint8Array): Section[] {
  const sections: Section[] = []
  const reader = new Cursor(wasm, headerBytes)
  while (reader.at < wasm.length) {
    const begin = reader.at
    const id = wasm[reader.at++]!
    const size = reader.u32()
    const end = reader.at + size
    const name = id === customSection ? reader.text() : undefined
    sections.push({ id, name, begin, contents: reader.at, end })
    reader.at = end
  }
  return sections
}

/** Reads what the compiler wrote a moment ago: valid by construction. */
class Cursor {
  readonly #bytes: Uint8Array
  at: number

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes
    this.at = at
  }

  /** LEB128, unsigned. */
  u32(): number {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.#bytes[this.at++] ?? 0
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
  }

  text(): string {
    const length = this.u32()
    this.at += length
    return Buffer.from(this.#bytes.subarray(this.at - length, this.at)).toString()
  }
}

/** `text` as a JSON string, quotes included. */
export function quote(text: string): string {
  let out = '"'
  let begin = 0
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i)
    if (char >= 0x20 && char != 0x22 && char != 0x5c) continue
    out += text.substring(begin, i) + escape(char)
    begin = i + 1
  }
  return out + text.substring(begin) + '"'
}

function escape(char: i32): string {
  switch (char) {
    case 0x22: return '\\"'
    case 0x5c: return '\\\\'
    case 0x0a: return '\\n'
    case 0x0d: return '\\r'
    case 0x09: return '\\t'
    default: return '\\u' + char.toString(16).padStart(4, '0')
  }
}

/** Writes an object member by member: `new json.ObjectWriter().text('to', address).i64('count', 3).toString()`. */
export class ObjectWriter {
  private members: string[] = []

  /** A member whose value is JSON already. */
  raw(name: string, value: string): ObjectWriter {
    this.members.push(quote(name) + ':' + value)
    return this
  }

  text(name: string, value: string): ObjectWriter {
    return this.raw(name, quote(value))
  }

  i64(name: string, value: i64): ObjectWriter {
    return this.raw(name, value.toString())
  }

  /** NaN and infinities, which JSON cannot carry, become null. */
  f64(name: string, value: f64): ObjectWriter {
    return this.raw(name, isFinite(value) ? value.toString() : 'null')
  }

  bool(name: string, value: bool): ObjectWriter {
    return this.raw(name, value ? 'true' : 'false')
  }

  toString(): string {
    return '{' + this.members.join(',') + '}'
  }
}

import { Kind, Value } from './json'

/** Deeper nesting is refused: recursion would use up the stack. */
const MAX_DEPTH = 64

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Reads JSON as RFC 8259 has it. After a mistake `failed` is set and what it returns means nothing. */
export class Parser {
  private at: i32 = 0
  private failed: bool = false

  constructor(private readonly source: string) {}

  document(): Value {
    const value = this.value(0)
    this.space()
    return this.failed || this.at < this.source.length ? Value.absent : value
  }

  private fail(): Value {
    this.failed = true
    return Value.absent
  }

  /** The character here, or −1 at the end. */
  private peek(): i32 {
    return this.at < this.source.length ? this.source.charCodeAt(this.at) : -1
  }

  private space(): void {
    while (this.at < this.source.length) {
      const char = this.source.charCodeAt(this.at)
      if (char != 0x20 && char != 0x0a && char != 0x0d && char != 0x09) return
      this.at++
    }
  }

  /** Steps over `char` when it comes next. */
  private take(char: i32): bool {
    this.space()
    if (this.peek() != char) return false
    this.at++
    return true
  }

  private value(depth: i32): Value {
    if (this.failed || depth > MAX_DEPTH) return this.fail()
    this.space()
    switch (this.peek()) {
      case 0x7b: return this.object(depth)
      case 0x5b: return this.list(depth)
      case QUOTE: return this.text()
      case 0x74: return this.word('true', Kind.Bool)
      case 0x66: return this.word('false', Kind.Bool)
      case 0x6e: return this.word('null', Kind.Null)
      default: return this.number()
    }
  }

  private word(word: string, kind: Kind): Value {
    if (!this.source.startsWith(word, this.at)) return this.fail()
    this.at += word.length
    const value = new Value(kind)
    value.text = word
    return value
  }

  private object(depth: i32): Value {
    const object = new Value(Kind.Object)
    this.at++
    if (this.take(0x7d)) return object
    do {
      this.space()
      const name = this.peek() == QUOTE ? this.text() : this.fail()
      if (!this.take(0x3a)) return this.fail()
      object.items.push(this.value(depth + 1))
      object.names.push(name.text)
      if (this.failed) return Value.absent
    } while (this.take(0x2c))
    return this.take(0x7d) ? object : this.fail()
  }

  private list(depth: i32): Value {
    const list = new Value(Kind.List)
    this.at++
    if (this.take(0x5d)) return list
    do {
      list.items.push(this.value(depth + 1))
      if (this.failed) return Value.absent
    } while (this.take(0x2c))
    return this.take(0x5d) ? list : this.fail()
  }

  private digits(): bool {
    const begin = this.at
    while (this.peek() >= 0x30 && this.peek() <= 0x39) this.at++
    return this.at > begin
  }

  private number(): Value {
    const begin = this.at
    if (this.peek() == 0x2d) this.at++
    const leadingZero = this.peek() == 0x30
    const first = this.at
    if (!this.digits() || (leadingZero && this.at > first + 1)) return this.fail()
    if (this.peek() == 0x2e) {
      this.at++
      if (!this.digits()) return this.fail()
    }
    if ((this.peek() | 0x20) == 0x65) {
      this.at++
      if (this.peek() == 0x2b || this.peek() == 0x2d) this.at++
      if (!this.digits()) return this.fail()
    }
    const value = new Value(Kind.Number)
    value.text = this.source.substring(begin, this.at)
    return value
  }

  /** Copies stretches without escapes at once: payloads are mostly such. */
  private text(): Value {
    const value = new Value(Kind.Text)
    this.at++
    let begin = this.at
    while (this.at < this.source.length) {
      const char = this.source.charCodeAt(this.at)
      if (char == QUOTE) {
        value.text += this.source.substring(begin, this.at)
        this.at++
        return value
      }
      if (char < 0x20) return this.fail()
      if (char == BACKSLASH) {
        value.text += this.source.substring(begin, this.at) + this.escape()
        if (this.failed) return Value.absent
        begin = this.at
      } else {
        this.at++
      }
    }
    return this.fail()
  }

  private escape(): string {
    this.at++
    const char = this.peek()
    this.at++
    switch (char) {
      case QUOTE: return '"'
      case BACKSLASH: return '\\'
      case 0x2f: return '/'
      case 0x62: return '\b'
      case 0x66: return '\f'
      case 0x6e: return '\n'
      case 0x72: return '\r'
      case 0x74: return '\t'
      case 0x75: return this.unit()
      default: this.failed = true
    }
    return ''
  }

  /** Four hexadecimal digits: a UTF-16 unit, which is what strings are made of here. */
  private unit(): string {
    let unit = 0
    for (let i = 0; i < 4; i++) {
      const char = this.peek()
      const lower = char | 0x20
      if (char >= 0x30 && char <= 0x39) unit = unit * 16 + (char - 0x30)
      else if (lower >= 0x61 && lower <= 0x66) unit = unit * 16 + (lower - 0x57)
      else this.failed = true
      this.at++
    }
    return String.fromCharCode(unit)
  }
}

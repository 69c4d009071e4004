/**
 * JSON without exceptions, because a handler cannot catch one: {@link parse} gives a value whose `exists` is false when the
 * text is not JSON, reading on from an absent value gives absent values, and every `to…` has a fallback.
 */
import { Parser } from './json-parser'

export { quote, ObjectWriter } from './json-writer'

export enum Kind {
  Absent,
  Null,
  Bool,
  Number,
  Text,
  List,
  Object,
}

export class Value {
  /** Text of a string, digits of a number, `true` or `false`. */
  text: string = ''
  /** Elements of a list, values of an object. */
  items: Value[] = []
  /** Names of an object's values, in their order. */
  names: string[] = []

  constructor(readonly kind: Kind) {}

  /** The value that stands for nothing at all. */
  static readonly absent: Value = new Value(Kind.Absent)

  get exists(): bool {
    return this.kind != Kind.Absent
  }

  /** Number of elements or members. */
  get length(): i32 {
    return this.items.length
  }

  /** The member of this name; the last one when a name stands twice. */
  get(name: string): Value {
    for (let i = this.names.length - 1; i >= 0; i--) if (this.names[i] == name) return this.items[i]
    return Value.absent
  }

  /** The element at this place. */
  at(index: i32): Value {
    return index >= 0 && index < this.items.length ? this.items[index] : Value.absent
  }

  toText(fallback: string = ''): string {
    return this.kind == Kind.Text ? this.text : fallback
  }

  toF64(fallback: f64 = NaN): f64 {
    return this.kind == Kind.Number ? parseFloat(this.text) : fallback
  }

  /** Exact for integers up to 64 bits; a number with a fraction or an exponent is cut to its integer part. */
  toI64(fallback: i64 = 0): i64 {
    if (this.kind != Kind.Number) return fallback
    const digits = this.text
    if (digits.includes('.') || digits.includes('e') || digits.includes('E')) return i64(parseFloat(digits))
    return I64.parseInt(digits)
  }

  toI32(fallback: i32 = 0): i32 {
    return this.kind == Kind.Number ? i32(this.toI64()) : fallback
  }

  toBool(fallback: bool = false): bool {
    return this.kind == Kind.Bool ? this.text == 'true' : fallback
  }
}

/** The value that `source` stands for, or the absent value when it is not JSON. Nesting deeper than 64 is refused. */
export function parse(source: string): Value {
  return new Parser(source).document()
}

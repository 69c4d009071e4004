import { DatabaseError } from '../errors.ts'
import { statementLimits } from './limits.ts'
import { refuse } from './refuse.ts'

/** Words after which an expression begins; after any other word, name, literal or `)` a `?` is an operator. */
const expressionFollows = new Set(
  'select where and or not like ilike in between limit offset then else when case on having by values set returning is from for distinct all any using default check first next'.split(
    ' ',
  ),
)

const pattern = {
  space: /\s+/y,
  lineComment: /--[^\n]*/y,
  word: /[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*/y,
  number: /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y,
  parameter: /\$\d+/y,
  dollarQuote: /\$[A-Za-z_]*\$/y,
  plainString: /'(?:[^']|'')*'/y,
  escapeString: /[eE]'(?:[^'\\]|''|\\[\s\S])*'/y,
  quotedName: /"(?:[^"]|"")*"/y,
}

/** Integers of up to this many digits go through the parser's doubles unharmed. */
const exactDigits = 15

/**
 * Rewrites a statement for the parser: comments become spaces, placeholders `?` become `$1 … $n` from left to right (not
 * within literals and names, and not where `?` is an operator of JSON), and numbers that the parser would misread become
 * casts of text.
 * @throws DatabaseError SQL_SYNTAX, SQL_REFUSED
 */
export function scan(statement: string): string {
  if (statement.length > statementLimits.length)
    refuse(`a statement of ${statement.length} characters`, `at most ${statementLimits.length}`)
  return new Scanner(statement).run()
}

class Scanner {
  readonly #text: string
  #at = 0
  #out = ''
  /** Whether what precedes ends an operand, so that `-` and `?` are operators. */
  #operand = false
  #placeholders = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
  }

  run(): string {
    while (this.#at < this.#text.length) this.#next()
    return this.#out
  }

  #next(): void {
    if (this.#take(pattern.space) || this.#take(pattern.lineComment)) this.#out += ' '
    else if (this.#text.startsWith('/*', this.#at)) this.#blockComment()
    else if (!this.#literal() && !this.#name() && !this.#number()) this.#symbol()
  }

  #literal(): boolean {
    const text = this.#take(pattern.escapeString) ?? this.#take(pattern.plainString)
    if (text === undefined) return false
    this.#emit(text, true)
    return true
  }

  #name(): boolean {
    const quoted = this.#take(pattern.quotedName)
    if (quoted !== undefined) {
      this.#emit(quoted, true)
      return true
    }
    const word = this.#take(pattern.word)
    if (word === undefined) return false
    this.#emit(word, !expressionFollows.has(word.toLowerCase()))
    return true
  }

  #number(): boolean {
    const sign = this.#signFollows() ? '-' : ''
    const start = this.#at
    this.#at += sign.length
    const digits = this.#take(pattern.number)
    if (digits === undefined) {
      this.#at = start
      return false
    }
    if (/[A-Za-z_]/.test(this.#text[this.#at] ?? '')) syntax(`characters after the number ${digits}`)
    this.#emit(numberText(sign + digits), true)
    return true
  }

  /** A minus that belongs to the number after it. */
  #signFollows(): boolean {
    return !this.#operand && /^-\.?\d/.test(this.#text.slice(this.#at, this.#at + 3))
  }

  #symbol(): void {
    const parameter = this.#take(pattern.parameter)
    if (this.#take(pattern.dollarQuote) !== undefined) refuse('text in dollar quotes', "text in quotes: '…'")
    if (parameter !== undefined) this.#emit(parameter, true)
    else this.#character(this.#text[this.#at++]!)
  }

  #character(symbol: string): void {
    if (symbol === "'" || symbol === '"') syntax('a quote is not closed')
    if (symbol === '(' && ++this.#depth > statementLimits.nesting)
      refuse('parentheses nested too deep', `at most ${statementLimits.nesting}`)
    if (symbol === ')') this.#depth--
    // Spaces, because the parser takes `a-5` for two operands; not within `->` and `->>`.
    const minus = symbol === '-' && this.#operand && this.#text[this.#at] !== '>'
    if (symbol === '?') this.#question()
    else if (minus) this.#emit(' - ', false)
    else this.#emit(symbol, symbol === ')' || symbol === ']')
  }

  #question(): void {
    const next = this.#text[this.#at]
    const operator = this.#operand || next === '|' || next === '&'
    if (operator) this.#emit('?', false)
    else this.#emit(`$${++this.#placeholders}`, true)
  }

  #blockComment(): void {
    let depth = 0
    do {
      if (this.#text.startsWith('/*', this.#at)) depth++
      else if (this.#text.startsWith('*/', this.#at)) depth--
      else if (this.#at >= this.#text.length) syntax('a comment is not closed')
      this.#at += /^(?:\/\*|\*\/)/.test(this.#text.slice(this.#at, this.#at + 2)) ? 2 : 1
    } while (depth > 0)
    this.#out += ' '
  }

  #take(expression: RegExp): string | undefined {
    expression.lastIndex = this.#at
    const found = expression.exec(this.#text)?.[0]
    if (found) this.#at += found.length
    return found || undefined
  }

  #emit(text: string, operand: boolean): void {
    this.#out += text
    this.#operand = operand
  }
}

function numberText(number: string): string {
  if (/[eE]/.test(number)) return ` CAST('${number}' AS numeric)`
  if (!number.includes('.') && number.length > exactDigits) return ` CAST('${number}' AS bigint)`
  return number
}

function syntax(detail: string): never {
  throw new DatabaseError({ code: 'SQL_SYNTAX', detail })
}

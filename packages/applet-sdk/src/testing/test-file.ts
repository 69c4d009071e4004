import { AppletSdkError } from '../errors.ts'
import type { DatabaseSchema } from '../simulation/database.ts'
import { anything, type Check, flag, hex, integer, list, record, shape, text } from './shape.ts'

/** A value in the KV store: text, or a number as the kits keep it, or bytes; null for a key that must not be there. */
export type ExpectedValue =
  | null
  | string
  | { readonly i32: number }
  | { readonly i64: string | number }
  | { readonly f64: number }
  | { readonly bool: boolean }
  | { readonly hex: string }

/** What an event must lead to. What is not named is not looked at, but a handler that fails must be expected. */
export interface Expectation {
  /** What the handler returns. @default any number that is not negative */
  readonly code?: number
  /** The handler fails with this: `TRAP`, `EXIT`, `MEMORY_LIMIT`, … */
  readonly error?: string
  /** What an operator of a flow answers: text is compared as it is, anything else as JSON. */
  readonly data?: unknown
  /** All lines of the applet, in order; `*` stands for any text. */
  readonly logs?: readonly string[]
  readonly kv?: Readonly<Record<string, ExpectedValue>>
  /** All transactions, in order; only the fields given are compared. */
  readonly transactions?: readonly {
    readonly chainId?: number
    readonly to?: string
    readonly value?: string
    readonly data?: string
    readonly operatorName?: string
  }[]
  /** All messages, in order; a payload that is not text is compared as JSON. */
  readonly mqtt?: readonly { readonly topic: string; readonly payload?: unknown }[]
  /** All metrics, in order, compared as JSON. */
  readonly metrics?: readonly unknown[]
  /** Paths of all requests to the node's services, in order. */
  readonly apiCalls?: readonly string[]
  /** Queries, with the rows that they must give. */
  readonly rows?: readonly { readonly query: string; readonly are: readonly Readonly<Record<string, unknown>>[] }[]
}

export interface TestEvent {
  readonly handler: string
  /** Text is sent as it is, anything else as JSON. @default nothing */
  readonly payload?: unknown
  readonly payloadHex?: string
  /** For REDUCE operators of flows: what was accumulated so far, null for the first element; JSON like the payload. */
  readonly accumulator?: unknown
  /** The topic, when the event comes by MQTT. */
  readonly topic?: string
  /** Key of the device that sends it; empty when none does. @default 'device' */
  readonly device?: string
  /** Whether the device signs it. @default false */
  readonly signed?: boolean
  readonly expect?: Expectation
}

/** A story: events sent one after the other to one applet, which keeps its KV and tables meanwhile. */
export interface TestFile {
  readonly description?: string
  readonly env?: Readonly<Record<string, string>>
  /** Tables, in the form of the project's configuration. */
  readonly database?: DatabaseSchema
  /** The same in the form of the project file's section of this name; excludes `database`. */
  readonly tables?: Readonly<Record<string, unknown>>
  /** Answers of contracts; without `returns` the read fails. */
  readonly reads?: readonly {
    readonly chainId?: number
    readonly to?: string
    readonly data?: string
    readonly returns?: string
  }[]
  /** Answers of the node's services. */
  readonly answers?: readonly { readonly path: string; readonly statusCode?: number; readonly body?: string }[]
  readonly refuseTransactions?: boolean
  readonly events: readonly TestEvent[]
}

const expectation = shape({
  code: integer,
  error: text,
  data: anything,
  logs: list(text),
  kv: record(expectedValue),
  transactions: list(shape({ chainId: integer, to: hex, value: text, data: hex, operatorName: text })),
  mqtt: list(shape({ topic: text, payload: anything }, ['topic'])),
  metrics: list(anything),
  apiCalls: list(text),
  rows: list(shape({ query: text, are: list(record(anything)) }, ['query', 'are'])),
})

const column = shape(
  {
    name: text,
    constrains: shape(
      {
        datatype: text,
        length: integer,
        decimal: integer,
        default: anything,
        null: flag,
        autoincrement: flag,
        desc: text,
      },
      ['datatype'],
    ),
  },
  ['name', 'constrains'],
)
const key = shape({ name: text, method: text, isUnique: flag, columnNames: list(text), expr: text }, ['columnNames'])
const table = shape({ name: text, desc: text, cols: list(column), keys: list(key) }, ['name', 'cols'])

const testFile = shape(
  {
    $schema: text,
    description: text,
    env: record(text),
    database: shape({ dialect: text, schemas: list(shape({ schema: text, tables: list(table) }, ['tables'])) }),
    tables: record(anything),
    reads: list(shape({ chainId: integer, to: hex, data: hex, returns: hex })),
    answers: list(shape({ path: text, statusCode: integer, body: text }, ['path'])),
    refuseTransactions: flag,
    events: list(
      shape(
        {
          handler: text,
          payload: anything,
          payloadHex: hex,
          accumulator: anything,
          topic: text,
          device: text,
          signed: flag,
          expect: expectation,
        },
        ['handler'],
      ),
    ),
  },
  ['events'],
)

function expectedValue(value: unknown, place: string, mistakes: string[]): void {
  if (value === null || typeof value === 'string') return
  const decimal: Check = (number, at, out) => {
    if (!/^-?\d{1,19}$/.test(String(number))) out.push(`${at}: must be a whole number, as text when it is large`)
  }
  const real: Check = (number, at, out) => {
    if (typeof number !== 'number') out.push(`${at}: must be a number`)
  }
  const before = mistakes.length
  shape({ i32: integer, i64: decimal, f64: real, bool: flag, hex })(value, place, mistakes)
  if (mistakes.length === before && Object.keys(value as object).length !== 1) {
    mistakes.push(`${place}: must be text, null, or an object with one of i32, i64, f64, bool, hex`)
  }
}

/**
 * @param name for messages
 * @throws AppletSdkError TEST_FILE_INVALID with every mistake
 */
export function parseTestFile(name: string, source: string): TestFile {
  let parsed: unknown
  try {
    parsed = JSON.parse(source)
  } catch (error) {
    throw new AppletSdkError('TEST_FILE_INVALID', `${name} is not JSON`, [String((error as Error).message)])
  }
  const mistakes: string[] = []
  testFile(parsed, 'test', mistakes)
  const { database, tables } = (parsed ?? {}) as Partial<TestFile>
  if (database !== undefined && tables !== undefined) mistakes.push('test: give either database or tables')
  if (mistakes.length > 0) throw new AppletSdkError('TEST_FILE_INVALID', `${name} is not a test`, mistakes)
  return parsed as TestFile
}

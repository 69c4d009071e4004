/** The project's own tables. The dialect is PostgreSQL's, within what `docs/spec/sql.md` allows; parameters are `?` or `$1`. */
import { toBase64 } from './bytes'
import * as json from './json'
import { outPointer, outSize, refuse, takeText } from './memory'

// @ts-ignore: decorator
@external('env', 'ws_set_sql_db')
declare function ws_set_sql_db(request: usize, size: usize): i32
// @ts-ignore: decorator
@external('env', 'ws_get_sql_db')
declare function ws_get_sql_db(request: usize, requestSize: usize, pointer: usize, size: usize): i32

/** A value for a place in a statement, with its type. */
export class Param {
  /** @param encoded what the host expects: `{"<type>": value}` */
  constructor(readonly encoded: string) {}
}

export function i32Param(value: i32): Param {
  return new Param('{"int32":' + value.toString() + '}')
}

export function i64Param(value: i64): Param {
  return new Param('{"int64":' + value.toString() + '}')
}

/** @throws for NaN and infinities, which JSON cannot carry */
export function f64Param(value: f64): Param {
  if (!isFinite(value)) throw new Error('a SQL parameter must be a finite number')
  return new Param('{"float64":' + value.toString() + '}')
}

export function textParam(value: string): Param {
  return new Param('{"string":' + json.quote(value) + '}')
}

export function boolParam(value: bool): Param {
  return new Param(value ? '{"bool":true}' : '{"bool":false}')
}

export function bytesParam(value: Uint8Array): Param {
  return new Param('{"bytes":"' + toBase64(value) + '"}')
}

/** @param value RFC 3339, for example `2026-01-31T12:00:00Z` */
export function timeParam(value: string): Param {
  return new Param('{"time":' + json.quote(value) + '}')
}

function encode(statement: string, params: Param[]): ArrayBuffer {
  const parts = new Array<string>(params.length)
  for (let i = 0; i < params.length; i++) parts[i] = params[i].encoded
  return String.UTF8.encode('{"statement":' + json.quote(statement) + ',"params":[' + parts.join(',') + ']}')
}

/** Runs a statement and returns the host's code: 0, 9 without a database, −1 when the statement is refused. */
export function tryExecute(statement: string, params: Param[] = []): i32 {
  const request = encode(statement, params)
  return ws_set_sql_db(changetype<usize>(request), request.byteLength)
}

/** Runs a statement; ends the call when it is refused. The reason is in the project's log. */
export function execute(statement: string, params: Param[] = []): void {
  const code = tryExecute(statement, params)
  if (code != 0) refuse('sql.execute', code)
}

/** Rows of a query, each an object by column name; ends the call when the query is refused. */
export function query(statement: string, params: Param[] = []): json.Value[] {
  const request = encode(statement, params)
  const code = ws_get_sql_db(changetype<usize>(request), request.byteLength, outPointer(), outSize())
  if (code != 0) refuse('sql.query', code)
  return rows(takeText())
}

/** The first row; its `exists` is false when there is none. */
export function first(statement: string, params: Param[] = []): json.Value {
  const found = query(statement, params)
  return found.length == 0 ? json.Value.absent : found[0]
}

/** The host answers nothing for no row, an object for one, a list for more. */
function rows(answer: string): json.Value[] {
  if (answer.length == 0) return []
  const value = json.parse(answer)
  return value.kind == json.Kind.List ? value.items : [value]
}

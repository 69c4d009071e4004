import type { SqlResult, SqlType, SqlValue } from '../../database/database.ts'

/**
 * Rows as applets expect them: nothing for none, an object for one, an array for several; keys in alphabetical order, no
 * white space. Applets test for the empty text and cast one row to an object, so the three shapes must stay.
 */
export function encodeSqlResult({ columns, rows }: SqlResult): string {
  if (rows.length === 0) return ''
  const fields = orderedColumns(columns)
  const objects = rows.map((row) => encodeRow(fields, row))
  return objects.length === 1 ? objects[0]! : `[${objects.join(',')}]`
}

interface Field {
  readonly key: string
  readonly index: number
  readonly type: SqlType
}

/** By the bytes of the names; of columns with one name the last one stays. */
function orderedColumns(columns: SqlResult['columns']): Field[] {
  const byName = new Map<string, Field>()
  columns.forEach(({ name, type }, index) => {
    byName.set(name, { key: `${JSON.stringify(name)}:`, index, type })
  })
  const names = [...byName.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return names.map((name) => byName.get(name)!)
}

function encodeRow(fields: readonly Field[], row: readonly SqlValue[]): string {
  return `{${fields.map(({ key, index, type }) => key + encodeValue(row[index] ?? null, type)).join(',')}}`
}

function encodeValue(value: SqlValue, type: SqlType): string {
  if (type === 'timestamp') return encodeTimestamp(value)
  if (value === null) return 'null'
  if (value instanceof Uint8Array) return JSON.stringify(`\\x${Buffer.from(value).toString('hex')}`)
  switch (type) {
    case 'integer':
    case 'bigint':
      return typeof value === 'string' ? JSON.stringify(value) : String(value)
    case 'boolean':
      return String(value === true || value === 1n || value === 1)
    case 'real':
      return typeof value === 'bigint' ? String(value) : JSON.stringify(value)
    default:
      return JSON.stringify(String(value))
  }
}

/** The earlier generation's form, which applets parse. */
function encodeTimestamp(value: SqlValue): string {
  return value === null
    ? '{"Time":"0001-01-01T00:00:00Z","Valid":false}'
    : `{"Time":${JSON.stringify(String(value))},"Valid":true}`
}

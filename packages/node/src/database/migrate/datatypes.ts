import { type ColumnType, numericDigits, sizeProblem, type TypeName } from '../sql/types.ts'

/** Data types of `PROJECT_DATABASE` and what they are in the dialect. TIMESTAMP is a number there, as the devices send it. */
const datatypes: Readonly<Record<string, TypeName>> = {
  INT: 'integer',
  INT8: 'integer',
  INT16: 'integer',
  INT32: 'integer',
  INT64: 'bigint',
  UINT: 'integer',
  UINT8: 'integer',
  UINT16: 'integer',
  UINT32: 'integer',
  UINT64: 'bigint',
  FLOAT32: 'real',
  FLOAT64: 'double precision',
  TEXT: 'varchar',
  BOOL: 'boolean',
  TIMESTAMP: 'bigint',
  DECIMAL: 'numeric',
  NUMERIC: 'numeric',
}

const datatypeNames: readonly string[] = Object.keys(datatypes)

/** Texts of this length and more have no limit. */
const unlimitedText = 21845
const defaultTextLength = 255

/** The type of a column, or what is wrong with it. */
export function typeOfDatatype(constrains: {
  datatype: string
  length?: number
  decimal?: number
}): ColumnType | { problem: string } {
  const { datatype, length, decimal } = constrains
  const name = Object.hasOwn(datatypes, datatype) ? datatypes[datatype] : undefined
  if (!name) return { problem: `datatype ${JSON.stringify(datatype)}: one of ${datatypeNames.join(', ')}` }
  if (name === 'varchar') {
    const size = length || defaultTextLength
    if (size >= unlimitedText) return { name: 'text' }
    const problem = sizeProblem('varchar', [size])
    return problem ? { problem: `length ${length}: ${problem}` } : { name, size }
  }
  if (name !== 'numeric') return { name }
  if (!length) return decimal ? { problem: `decimal ${decimal}: needs length, at most ${numericDigits}` } : { name }
  const problem = sizeProblem('numeric', [length, decimal ?? 0])
  return problem
    ? { problem: `length ${length}, decimal ${decimal ?? 0}: ${problem}` }
    : { name, size: length, scale: decimal ?? 0 }
}

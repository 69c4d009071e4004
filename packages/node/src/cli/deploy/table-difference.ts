import type { TableSchema } from '../../database/database.ts'
import { compareTables } from '../../database/migrate/compare.ts'
import { typeOfDatatype } from '../../database/migrate/datatypes.ts'
import type { ColumnDefinition } from '../../database/sql/catalog.ts'
import { typeText } from '../../database/sql/types.ts'

type Column = TableSchema['cols'][number]

/**
 * What changes in a table, column by column, with the changes marked that the node refuses. It decides by the same comparison;
 * whether there are rows, it alone knows.
 */
export function tableDifference(before: TableSchema, after: TableSchema): string {
  const parts = after.cols.flatMap((column) => columnPart(before.cols.find(named(column.name)), column))
  for (const { name } of before.cols)
    if (!after.cols.some(named(name))) parts.push(`${name} kept, though no longer declared`)
  parts.push(...keysPart(keyTexts(before), keyTexts(after)))
  if ((before.desc ?? '') !== (after.desc ?? '')) parts.push('description')
  return parts.join(', ')
}

/** Keys as they are compared and shown: the node makes their names itself. */
export function keyTexts(table: TableSchema): string[] {
  return (table.keys ?? []).map(({ isUnique, columnNames, expr }) => {
    const terms = `${isUnique ? 'unique' : 'index'} (${columnNames.join(', ')})`
    return expr ? `${terms} ${expr}` : terms
  })
}

function named(name: string): (column: Column) => boolean {
  return (column) => column.name === name
}

function columnPart(before: Column | undefined, after: Column): string[] {
  const text = columnText(after)
  if (!before) return [`+${after.name} ${text}${refusal(undefined, after)}`]
  const old = columnText(before)
  if (old !== text) return [`~${after.name} ${old} → ${text}${refusal(before, after)}`]
  return (before.constrains.desc ?? '') === (after.constrains.desc ?? '') ? [] : [`~${after.name} description`]
}

function keysPart(before: readonly string[], after: readonly string[]): string[] {
  return [
    ...after.filter((key) => !before.includes(key)).map((key) => `+${key}`),
    ...before.filter((key) => !after.includes(key)).map((key) => `-${key}`),
  ]
}

function columnText({ constrains }: Column): string {
  const type = typeOf(constrains)
  const words = ['problem' in type ? constrains.datatype : typeText(type)]
  if (constrains.autoincrement) words.push('autoincrement')
  else if (!constrains.null) words.push('not null')
  if (constrains.default !== undefined && constrains.default !== null)
    words.push(`default ${constrains.default || "''"}`)
  return words.join(' ')
}

function typeOf(constrains: Column['constrains']): ReturnType<typeof typeOfDatatype> {
  return typeOfDatatype({ ...constrains, datatype: constrains.datatype.toUpperCase() })
}

/** Why the node does not make this change; empty when it does. */
function refusal(before: Column | undefined, after: Column): string {
  const wanted = definition(after)
  if ('problem' in wanted) return ` (refused: ${wanted.problem})`
  const found = before && definition(before)
  const table = { schema: '', name: '', uniques: [], checks: [], indexes: [] }
  const { problems } = compareTables(
    { ...table, columns: found && !('problem' in found) ? [found] : [] },
    { ...table, columns: [wanted] },
    { empty: false, hasNull: () => true },
  )
  const reasons = problems.map((problem) => problem.slice(problem.indexOf(': ') + 2))
  return reasons.length > 0 ? ` (refused when the table has rows: ${reasons.join('; ')})` : ''
}

function definition({ name, constrains }: Column): ColumnDefinition | { problem: string } {
  const type = typeOf(constrains)
  if ('problem' in type) return type
  const column = { name, type, notNull: constrains.autoincrement === true || constrains.null !== true }
  if (constrains.autoincrement) return { ...column, serial: true }
  return constrains.default === undefined || constrains.default === null
    ? column
    : { ...column, default: { text: constrains.default } }
}

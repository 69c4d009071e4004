import { refuse } from './refuse.ts'

const names = ['rowid', '_rowid_', 'oid'] as const

/**
 * The name under which a printed statement reaches the number of a row, which grows with each insertion. SQLite has three, of
 * which a column of the table may take any.
 * @throws DatabaseError SQL_REFUSED when the columns take all three
 */
export function rowKey(columns: readonly { readonly name: string }[]): string {
  const taken = new Set(columns.map(({ name }) => name.toLowerCase()))
  return (
    names.find((name) => !taken.has(name)) ?? refuse(`columns ${names.join(', ')} in one table`, 'two of them at most')
  )
}

import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DatabaseError } from '../errors.ts'
import { AppletSql } from './applet-sql.ts'
import { catalogTable } from './catalog.ts'

const words =
  "SELECT FROM WHERE t s a b c * ( ) , . + - / % = < >= AND OR NOT NULL IS IN LIKE BETWEEN CASE WHEN THEN ELSE END count sum lower coalesce date_trunc 1 2.5 'x' 'y%' '2024-01-01' true ? $1 :: int text numeric(5,2) -> ->> GROUP BY ORDER LIMIT UNION ALL JOIN LEFT ON USING WITH AS INSERT INTO VALUES UPDATE SET DELETE RETURNING ON CONFLICT DO NOTHING CREATE TABLE DROP INDEX ALTER ADD COLUMN UNIQUE DEFAULT serial ; -- /* \" ' $$".split(
    ' ',
  )

function openTables(): AppletSql {
  const db = new DatabaseSync(':memory:')
  db.exec(`${catalogTable}; CREATE TABLE kv (a)`)
  const sql = new AppletSql(db)
  sql.execute({ statement: 'CREATE TABLE t (a int, b text, c jsonb)', params: [] })
  sql.execute({ statement: 'CREATE TABLE s (a bigint, b varchar(5), c timestamp)', params: [] })
  sql.execute({ statement: "INSERT INTO t VALUES (1, 'x', '{}'), (NULL, NULL, NULL)", params: [] })
  return sql
}

const skeletons = [
  (w: string) => `SELECT ${w}`,
  (w: string) => `SELECT a FROM t WHERE ${w}`,
  (w: string) => `SELECT a ${w} FROM t`,
  (w: string) => `INSERT INTO t VALUES (${w})`,
  (w: string) => `UPDATE t SET a = ${w}`,
  (w: string) => `CREATE TABLE u (a int ${w})`,
  (w: string) => w,
]

describe('hostile statements', () => {
  it('get a result or a fault with a code, never anything else', () => {
    const sql = openTables()
    const text = fc.array(fc.constantFrom(...words), { maxLength: 12 }).map((list) => list.join(' '))
    fc.assert(
      fc.property(text, fc.constantFrom(...skeletons), fc.boolean(), (fragment, skeleton, bound) => {
        const params = bound ? [{ type: 'string' as const, value: '1' }] : []
        try {
          sql.execute({ statement: skeleton(fragment), params })
        } catch (error) {
          expect(error).toBeInstanceOf(DatabaseError)
          expect((error as DatabaseError).code).toMatch(/^SQL_/)
        }
      }),
      { numRuns: 3000 },
    )
  })

  it.each([
    ['a chain of operators', `SELECT ${Array(1000).fill('1').join('+')}`],
    ['nested calls', `SELECT ${'abs('.repeat(1000)}1${')'.repeat(1000)}`],
    ['nested NOT', `SELECT ${'NOT '.repeat(1000)}true`],
    ['many columns', `SELECT ${Array(600).fill('1').join(',')}`],
  ])('refuses %s', (_, statement) => {
    expect(() => openTables().execute({ statement, params: [] })).toThrow(
      expect.objectContaining({ code: 'SQL_REFUSED' }),
    )
  })
})

import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { startPostgres } from '../../../../scripts/bench/postgres.ts'
import { DatabaseError } from '../../src/database/errors.ts'
import { AppletSql } from '../../src/database/sql/applet-sql.ts'
import { catalogTable } from '../../src/database/sql/catalog.ts'
import { Random } from '../support/random.ts'
import { inserts, query, tables } from './random-queries.ts'

const queries = Number(process.env.W3BSTREAM_TEST_QUERIES ?? 1500)
const postgres = await startPostgres()

const divisions = [
  'NULL::int / 0',
  '1 / NULL::int',
  '1 / 0',
  'NULL::int % 0',
  'mod(5, 0)',
  'mod(-5, 3)',
  '-7 / 2',
  '-7 % 2',
  '0.5::double precision / 0',
]

type Answer = readonly unknown[][] | { readonly failed: string }

function ours(sql: AppletSql, statement: string): Answer {
  try {
    return sql.query({ statement, params: [] }, { rows: 1e6, bytes: 1e9 }).rows.map((row) => [...row])
  } catch (error) {
    if (error instanceof DatabaseError) return { failed: `${error.code} ${error.message}` }
    throw error
  }
}

async function theirs(client: pg.Client, statement: string): Promise<Answer> {
  try {
    const { rows } = await client.query<unknown[]>({ text: statement, rowMode: 'array' })
    return rows
  } catch (error) {
    return { failed: (error as Error).message }
  }
}

/** Numbers of both as doubles: ours of numeric are kept so, and the driver hands large ones out as text. */
function comparable(value: unknown, other: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  return typeof value === 'string' && typeof other !== 'boolean' && value !== '' && /^-?[\d.]+$/.test(value)
    ? Number(value)
    : value
}

function same(a: unknown, b: unknown): boolean {
  const [left, right] = [comparable(a, b), comparable(b, a)]
  if (typeof left === 'number' && typeof right === 'number')
    return left === right || Math.abs(left - right) <= 1e-12 * Math.max(Math.abs(left), Math.abs(right), 1)
  return left === right
}

function agree(a: Answer, b: Answer): boolean {
  if ('failed' in a || 'failed' in b) return 'failed' in a && 'failed' in b
  return a.length === b.length && a.every((row, i) => row.every((value, j) => same(value, b[i]?.[j])))
}

describe.skipIf(!postgres)('random queries', () => {
  it(`${queries} of them answer as in PostgreSQL`, { timeout: 300_000 }, async () => {
    const random = new Random('postgres')
    await using server = postgres!
    const client = new pg.Client({ host: server.socket, user: 'postgres', database: 'postgres' })
    await client.connect()
    const db = new DatabaseSync(':memory:')
    db.exec(catalogTable)
    const sql = new AppletSql(db)
    try {
      for (const statement of tables.postgres) await client.query(statement)
      for (const statement of tables.ours) sql.execute({ statement, params: [] })
      for (const statement of inserts(random, 60)) {
        await client.query(statement)
        sql.execute({ statement, params: [] })
      }
      const differences: unknown[] = []
      let answered = 0
      const fixed = divisions.map((term) => `SELECT ${term} AS c`)
      for (let n = 0; n < queries && differences.length < 20; n++) {
        const statement = fixed.pop() ?? query(random)
        const own = ours(sql, statement)
        if ('failed' in own && own.failed.startsWith('SQL_REFUSED')) continue
        const wanted = await theirs(client, statement)
        if (!agree(own, wanted)) differences.push({ statement, own, wanted })
        else if (!('failed' in own)) answered++
      }
      expect(differences).toEqual([])
      expect(answered).toBeGreaterThan(queries / 3)
    } finally {
      db.close()
      await client.end()
    }
  })
})

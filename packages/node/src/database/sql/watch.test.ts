import { once } from 'node:events'
import { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AppletSql } from './applet-sql.ts'
import { catalogTable } from './catalog.ts'

let db: DatabaseSync
let sql: AppletSql
beforeEach(() => {
  db = new DatabaseSync(':memory:')
  db.exec(catalogTable)
  sql = new AppletSql(db)
  sql.execute({ statement: 'CREATE TABLE t (x integer, s text)', params: [] })
  for (let n = 0; n < 1000; n++)
    sql.execute({
      statement: 'INSERT INTO t VALUES (?, ?)',
      params: [
        { type: 'int32', value: BigInt(n) },
        { type: 'string', value: `${n}` },
      ],
    })
})
afterEach(() => db.close())

const long = [
  'SELECT count(*) FROM t a, t b, t c WHERE a.x + b.x + c.x < 0',
  'SELECT count(*) FROM t a LEFT JOIN t b ON a.x + b.x < 0 LEFT JOIN t c ON a.x + c.x < 0 LEFT JOIN t d ON c.x IS NULL AND a.x + d.x < -1 CROSS JOIN t e CROSS JOIN t f',
  'SELECT count(*) FROM t a JOIN t b ON a.x <> b.x JOIN t c ON c.x <> b.x AND c.s > a.s || b.s',
  'SELECT max((SELECT count(*) FROM t b, t c WHERE b.x + c.x > a.x)) FROM t a',
  'WITH w AS (SELECT a.x + b.x AS y FROM t a CROSS JOIN t b) SELECT count(*) FROM w a, w b WHERE a.y + b.y < 0',
  'SELECT count(*) FROM (SELECT DISTINCT a.x * b.x AS y FROM t a, t b) u CROSS JOIN t v CROSS JOIN t w',
]

describe('statements that run long', () => {
  it.each(long)('end at their deadline: %s', (statement) => {
    expect(() => sql.query({ statement, params: [] }, { rows: 10, bytes: 1000, timeMs: 20 })).toThrow(
      expect.objectContaining({ code: 'SQL_LIMIT' }),
    )
    // The next one has its own.
    expect(sql.query({ statement: 'SELECT count(*) FROM t', params: [] }).rows).toEqual([[1000n]])
  })

  it.each([
    long[0]!,
    `UPDATE t SET x = 1 FROM (${long[0]}) u WHERE u.count < 0`,
    `DELETE FROM t WHERE x IN (${long[2]})`,
  ])('end with their thread: %s', async (statement) => {
    const url = (file: string) => JSON.stringify(new URL(file, import.meta.url).href)
    const worker = new Worker(
      `import { DatabaseSync } from 'node:sqlite'
         import { parentPort } from 'node:worker_threads'
         import { AppletSql } from ${url('./applet-sql.ts')}
         import { catalogTable } from ${url('./catalog.ts')}
         const db = new DatabaseSync(':memory:')
         db.exec(catalogTable)
         const sql = new AppletSql(db)
         sql.execute({ statement: 'CREATE TABLE t (x integer, s text)', params: [] })
         for (let n = 0; n < 1000; n++)
           sql.execute({ statement: 'INSERT INTO t VALUES (?, ?)', params: [{ type: 'int32', value: n }, { type: 'string', value: '' + n }] })
         parentPort.postMessage('begins')
         sql.execute({ statement: ${JSON.stringify(statement)}, params: [] })
         parentPort.postMessage('ended by itself')`,
      { eval: true },
    )
    const told: unknown[] = []
    worker.on('message', (message) => told.push(message))
    await once(worker, 'message')
    await worker.terminate()
    expect(told).toEqual(['begins'])
  })

  it('answer as they would unwatched', () => {
    const one = (statement: string) => sql.query({ statement, params: [] }).rows
    expect(one('SELECT count(*) FROM t a LEFT JOIN t b ON b.x = a.x + 500')).toEqual([[1000n]])
    expect(one('SELECT count(*) FROM t a LEFT JOIN t b ON b.x = a.x + 500 WHERE b.x IS NULL')).toEqual([[500n]])
    expect(one('SELECT count(*) FROM t a FULL JOIN (SELECT x + 900 AS x FROM t) b ON b.x = a.x')).toEqual([[1900n]])
    expect(one('SELECT count(*) FROM t a LEFT JOIN (SELECT x + 900 AS x FROM t) b USING (x)')).toEqual([[1000n]])
    expect(one('SELECT count(*) FROM t a JOIN t b ON a.x = 1 OR b.x = 1')).toEqual([[1999n]])
    expect(one("SELECT count(*) FROM t WHERE s LIKE '9%' OR s LIKE '8%'")).toEqual([[222n]])
  })
})

describe('values of statements', () => {
  const double = (n: number) => Array.from({ length: n }).reduce<string>((text) => `(${text} || ${text})`, "'abcdefgh'")

  it('are bounded, whatever they are made with', () => {
    const refused = (statement: string, value = '') => {
      const params = value === '' ? [] : [{ type: 'string' as const, value }]
      expect(() => sql.execute({ statement, params })).toThrow(expect.objectContaining({ code: 'SQL_LIMIT' }))
    }
    refused(`SELECT length(${double(3)} || ?)`, 'x'.repeat(5_000_000))
    refused(
      "SELECT length(replace(replace(?, 'a', 'bbbbbbbbbbbbbbbb'), 'b', 'cccccccccccccccccccc'))",
      'a'.repeat(50_000),
    )
    refused('SELECT length(string_agg(s || ?, s)) FROM t', 'y'.repeat(5000))
    refused('INSERT INTO t (s) VALUES (?)', 'z'.repeat(5_000_000))
    expect(sql.query({ statement: 'SELECT count(*) FROM t', params: [] }).rows).toEqual([[1000n]])
  })

  it('are not looked for at a length that would take long', () => {
    const long = { type: 'string' as const, value: 'a'.repeat(257) }
    for (const statement of ['strpos(s, ?) > 0', "replace(s, ?, '') = s", 's LIKE ?'])
      expect(() => sql.query({ statement: `SELECT count(*) FROM t WHERE ${statement}`, params: [long] })).toThrow(
        expect.objectContaining({ code: 'SQL_FAILED' }),
      )
  })
})

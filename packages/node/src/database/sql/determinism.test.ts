import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SqlResult } from '../database.ts'
import { DatabaseError } from '../errors.ts'
import { AppletSql } from './applet-sql.ts'
import { catalogTable } from './catalog.ts'
import { exportTables, TableImport } from './table-state.ts'

const tables = [
  "CREATE TABLE r (id serial, station text, value double precision, n int, at timestamptz DEFAULT now(), tag text DEFAULT 'x')",
  'CREATE TABLE s (name text UNIQUE, rank int UNIQUE, weight double precision)',
  'CREATE INDEX r_station ON r (station)',
  'CREATE INDEX r_value ON r (value DESC, n)',
]

/** Columns that have few values, so that rows tie. */
const station = fc.constantFrom('a', 'b', 'c', 'D', 'ä')
const value = fc.oneof(
  fc.constantFrom(0, -0, 1, 0.1, 1e16, -1e16, 1e-9),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }),
)
const small = fc.integer({ min: 0, max: 4 })
const literal = (number: number) => `${number}::float8`

const writes: readonly fc.Arbitrary<string>[] = [
  fc
    .array(fc.tuple(station, value, small), { minLength: 1, maxLength: 5 })
    .map(
      (rows) =>
        `INSERT INTO r (station, value, n) VALUES ${rows.map(([s, v, n]) => `('${s}', ${literal(v)}, ${n})`).join(', ')}`,
    ),
  fc
    .tuple(station, small, value)
    .map(
      ([s, n, v]) => `INSERT INTO s (name, rank, weight) VALUES ('${s}', ${n}, ${literal(v)}) ON CONFLICT DO NOTHING`,
    ),
  fc
    .tuple(station, small)
    .map(([s, n]) => `UPDATE r SET n = n + 1 WHERE station = '${s}' AND n < ${n} RETURNING id, n`),
  small.map((n) => `UPDATE s SET rank = rank + ${n} RETURNING name, rank`),
  fc.constant('UPDATE r SET tag = s.name FROM s WHERE s.name = r.station RETURNING id, tag'),
  fc.constant('UPDATE r SET n = s.rank FROM s WHERE s.rank >= r.n'),
  fc.constant("INSERT INTO r (station, value, n) SELECT name, weight, rank FROM s WHERE name <> 'b'"),
  fc.constant('INSERT INTO r (station, n) SELECT station, max(n) FROM r GROUP BY station LIMIT 2'),
  fc.tuple(station, small).map(([s, n]) => `DELETE FROM r WHERE station = '${s}' AND n = ${n} RETURNING *`),
  fc.constant('DELETE FROM s WHERE rank > 3 RETURNING name'),
]

const reads = [
  'SELECT * FROM r',
  'SELECT station, n FROM r ORDER BY station',
  'SELECT id FROM r ORDER BY value DESC LIMIT 3',
  'SELECT id, station FROM r ORDER BY n OFFSET 2',
  "SELECT id FROM r WHERE station = 'a' LIMIT 2",
  'SELECT DISTINCT station FROM r',
  'SELECT DISTINCT n, station FROM r ORDER BY n DESC LIMIT 4',
  'SELECT station, sum(value), avg(value), count(*) FROM r GROUP BY station',
  'SELECT n, sum(value) AS total FROM r GROUP BY n ORDER BY total LIMIT 2',
  'SELECT sum(value), avg(value), min(value), max(value), sum(n), avg(n) FROM r',
  "SELECT string_agg(station, ',') FROM r",
  "SELECT string_agg(station, ',' ORDER BY n) FROM r",
  "SELECT string_agg(u.station, ',') FROM (SELECT station FROM r WHERE n > 1) u",
  'SELECT r.id, s.name FROM r JOIN s ON s.rank = r.n',
  'SELECT s.name, r.id FROM s LEFT JOIN r ON s.name = r.station ORDER BY s.name LIMIT 7',
  'SELECT a.rank, b.rank FROM s a FULL JOIN s b ON a.rank = b.rank + 1',
  'SELECT station FROM r UNION SELECT name FROM s',
  'SELECT n FROM r UNION ALL SELECT rank FROM s',
  'SELECT x.station, x.n FROM (SELECT station, n FROM r ORDER BY value LIMIT 5) x',
  'WITH x AS (SELECT station, sum(value) AS t FROM r GROUP BY 1) SELECT x.t, s.rank FROM x, s WHERE x.station = s.name',
  'SELECT (SELECT id FROM r WHERE r.station = s.name LIMIT 1) FROM s',
  'SELECT (SELECT id FROM r WHERE r.station = s.name) FROM s',
  'SELECT power(value, -1) FROM r WHERE value IS NOT NULL ORDER BY 1 LIMIT 3',
  'SELECT id, at = now(), at::date = current_date FROM r',
]

/** A place for the tables; all are to give the same answers. */
class Place {
  db: DatabaseSync
  sql: AppletSql
  constructor() {
    this.db = new DatabaseSync(':memory:')
    this.db.exec(catalogTable)
    this.sql = new AppletSql(this.db)
  }

  run(statement: string, clockMs: number): unknown {
    try {
      return plain(this.sql.execute({ statement, params: [], clockMs }))
    } catch (error) {
      if (error instanceof DatabaseError) return error.code
      throw error
    }
  }

  /** The same state in another file. */
  restore(): void {
    const next = new Place()
    const tables = new TableImport(next.db)
    for (const entry of exportTables(this.db))
      if (entry.type === 'table') tables.table(entry)
      else tables.row(entry)
    this.db.close()
    this.db = next.db
    this.sql = next.sql
    this.sql.rolledBack()
  }

  state(): unknown[] {
    return [...exportTables(this.db)]
  }
}

function plain({ columns, rows, changes }: SqlResult): unknown {
  return { columns, rows, changes }
}

/** What may happen to a file between two statements without changing what is in it. */
const histories: Readonly<Record<string, (place: Place) => void>> = {
  undisturbed: () => {},
  restored: (place) => place.restore(),
  vacuumed: (place) => place.db.exec('VACUUM'),
  analysed: (place) => place.db.exec('ANALYZE'),
  'with other row numbers': (place) => {
    place.db.exec(`INSERT INTO "public.s" (name) VALUES ('${'z'.repeat(3000)}')`)
    place.db.exec(`UPDATE "public.s" SET rowid = rowid + 1000 WHERE rowid = (SELECT max(rowid) FROM "public.s")`)
    place.db.exec('UPDATE "public.s" SET rowid = rowid + 10000')
    place.db.exec(`DELETE FROM "public.s" WHERE length(name) = 3000`)
  },
}

describe('statements', () => {
  it('give the same answers and leave the same tables, whatever happened to the file', { timeout: 120_000 }, () => {
    const statement = fc.oneof(
      { weight: 2, arbitrary: fc.oneof(...writes) },
      { weight: 1, arbitrary: fc.constantFrom(...reads) },
    )
    fc.assert(
      fc.property(fc.array(statement, { minLength: 5, maxLength: 25 }), (statements) => {
        const places = Object.entries(histories).map(([name, disturb]) => ({ name, disturb, place: new Place() }))
        const all = [...tables, ...statements, ...reads]
        for (const [i, text] of all.entries()) {
          const answers = places.map(({ place }) => place.run(text, 1_700_000_000_000 + i))
          for (const [k, answer] of answers.entries())
            expect(answer, `${text} in the place ${places[k]!.name}`).toEqual(answers[0])
          if (i >= tables.length && i % 3 === 0) for (const { place, disturb } of places) disturb(place)
        }
        const states = places.map(({ place }) => place.state())
        for (const state of states) expect(state).toEqual(states[0])
        for (const { place } of places) place.db.close()
      }),
      { numRuns: 30 },
    )
  })

  it('answer most of the queries, so that the comparison means something', () => {
    const place = new Place()
    const filled = [
      ...tables,
      "INSERT INTO s VALUES ('a', 1, 0.5), ('b', 2, 1)",
      "INSERT INTO r (station, value, n) VALUES ('a', 0.1, 1), ('b', 0.2, 2)",
    ]
    for (const text of [...filled, ...reads]) expect(place.run(text, 0), text).toBeTypeOf('object')
  })

  it('have a total order that follows the insertion', () => {
    const place = new Place()
    for (const text of [
      'CREATE TABLE t (a int, rowid text)',
      "INSERT INTO t VALUES (2, 'x'), (1, 'y'), (2, 'z'), (1, 'w')",
    ])
      place.run(text, 0)
    expect(place.run('SELECT rowid FROM t', 0)).toMatchObject({ rows: [['x'], ['y'], ['z'], ['w']] })
    expect(place.run('SELECT rowid FROM t ORDER BY a', 0)).toMatchObject({ rows: [['y'], ['w'], ['x'], ['z']] })
    expect(place.run('SELECT rowid FROM t ORDER BY a DESC LIMIT 1', 0)).toMatchObject({ rows: [['z']] })
    expect(place.run('DELETE FROM t WHERE a = 2 RETURNING rowid', 0)).toMatchObject({ rows: [['x'], ['z']] })
    expect(place.run('CREATE TABLE u (oid int, rowid int, "_ROWID_" int)', 0)).toBe('SQL_REFUSED')
  })

  it('fail where one row is wanted and several are there', () => {
    const place = new Place()
    for (const text of ['CREATE TABLE t (a int, b int)', 'INSERT INTO t VALUES (1, 1), (1, 2)']) place.run(text, 0)
    expect(place.run('SELECT (SELECT b FROM t)', 0)).toBe('SQL_FAILED')
    expect(place.run('SELECT (SELECT b FROM t WHERE b = 2)', 0)).toMatchObject({ rows: [[2n]] })
    expect(place.run('SELECT (SELECT b FROM t WHERE b = 3)', 0)).toMatchObject({ rows: [[null]] })
    expect(place.run('UPDATE t SET b = u.b FROM t u WHERE u.a = t.a', 0)).toBe('SQL_FAILED')
    expect(place.run('UPDATE t SET b = u.b + 1 FROM t u WHERE u.b = t.b RETURNING b', 0)).toMatchObject({
      rows: [[2n], [3n]],
    })
  })

  it('know the clock of the batch, and fill it in where it is a default', () => {
    const place = new Place()
    const day = Date.UTC(2024, 1, 29, 12)
    expect(place.run('SELECT now(), current_date, now() - now() IS NULL', day)).toBe('SQL_FAILED')
    expect(place.run('SELECT now() AS a, current_timestamp AS b, current_date AS c', day)).toMatchObject({
      rows: [['2024-02-29T12:00:00Z', '2024-02-29T12:00:00Z', '2024-02-29T00:00:00Z']],
    })
    place.run('CREATE TABLE t (a int, b timestamptz NOT NULL DEFAULT now(), c date DEFAULT current_date)', day)
    place.run('INSERT INTO t (a) VALUES (1)', day + 1000)
    place.run('INSERT INTO t (a, b) VALUES (2, DEFAULT)', day + 2000)
    place.run('INSERT INTO t (a) SELECT 3', day + 3000)
    place.run('ALTER TABLE t ADD COLUMN d timestamptz NOT NULL DEFAULT now()', day + 4000)
    place.run('INSERT INTO t (a) VALUES (4)', day + 5000)
    expect(place.run('SELECT extract(second FROM b), extract(second FROM d) FROM t', day)).toMatchObject({
      rows: [
        ['1', '4'],
        ['2', '4'],
        ['3', '4'],
        ['5', '5'],
      ],
    })
    expect(() => place.sql.execute({ statement: 'SELECT now()', params: [] })).toThrow(
      expect.objectContaining({ code: 'SQL_FAILED' }),
    )
  })

  it('never run out of numbers in a way that looks like a full disk', () => {
    const place = new Place()
    place.run('CREATE TABLE t (id bigserial, a int)', 0)
    expect(place.run('INSERT INTO t (id) VALUES (9223372036854775807)', 0)).toBe('SQL_FAILED')
    expect(place.run('INSERT INTO t (id) VALUES (9223372036854775806)', 0)).toMatchObject({ changes: 1 })
    expect(place.run('INSERT INTO t (a) VALUES (1)', 0)).toBe('SQL_FAILED')
  })
})

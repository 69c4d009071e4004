import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { ProjectStore, ProjectTransaction, SqlParam, SqlResult, SqlValue } from './database.ts'
import { bytes, type Candidate, params, project } from './exam.ts'
import { refusals } from './sql-refusals.ts'

const setup = [
  `CREATE TABLE reading (
    id serial PRIMARY KEY, station varchar(8) NOT NULL, value double precision, good boolean NOT NULL DEFAULT true,
    price numeric(10, 2), at timestamptz, raw bytea, doc jsonb, count integer NOT NULL DEFAULT 0, big bigint)`,
  'CREATE TABLE station (name text PRIMARY KEY, owner text, level smallint)',
  "INSERT INTO station VALUES ('a', 'ann', 1), ('b', 'bob', 2), ('c', NULL, NULL)",
  `INSERT INTO reading (station, value, price, at, doc) VALUES
    ('a', 1.5, 10, '2024-05-06T07:08:09.5Z', '{"k": {"n": 1.50}, "t": "x", "l": [1, 2], "b": true, "z": null}'),
    ('a', 2.5, 0.1, '2024-05-06 09:08:09+02', NULL),
    ('b', -1, NULL, NULL, '[]')`,
]

/** One column, one value. */
const scalars: readonly (readonly [string, SqlValue])[] = [
  ['1 + 2 * 3', 7n],
  ['7 / 2', 3n],
  ['-7 / 2', -3n],
  ['-7 % 3', -1n],
  ['7.0 / 2', '3.5'],
  ['7 / 2::float8', 3.5],
  ['5-3', 2n],
  ['9223372036854775807', 9223372036854775807n],
  ['-9223372036854775808', -9223372036854775808n],
  ['1e3', '1000'],
  ['1.50', '1.5'],
  ['5 & 3 | 8', 9n],
  ["'a' || 1 || true || 1.5", 'a1true1.5'],
  ["'it''s'", "it's"],
  ["E'a\\nb'", 'a\nb'],
  ["'12'::int + 1", 13n],
  ['2.5::int', 3n],
  ['2.5::float8::int', 2n],
  ["CAST('7' AS smallint)", 7n],
  ["'yes'::boolean", true],
  ['1::boolean', true],
  ['true::int', 1n],
  ['false::text', 'false'],
  ["'abcdef'::varchar(3)", 'abc'],
  ['1.005::numeric(5,2)', '1.01'],
  ['3::numeric(5,2)', '3.00'],
  ["'\\x00ff'::bytea", Uint8Array.of(0, 255)],
  ["'ABCDEF01-2345-6789-abcd-ef0123456789'::uuid", 'abcdef01-2345-6789-abcd-ef0123456789'],
  ["timestamp '2024-02-29 12:00:00.25'", '2024-02-29T12:00:00.25Z'],
  ["date '2024-02-29'::text", '2024-02-29'],
  ["'2024-02-29T23:59:59-01:00'::timestamptz::date::text", '2024-03-01'],
  ["date_trunc('month', timestamp '2024-02-29 12:00:00')::text", '2024-02-01 00:00:00'],
  ["date_trunc('week', timestamp '2024-02-29 12:00:00')::text", '2024-02-26 00:00:00'],
  ["extract(epoch from timestamp '1970-01-02')", '86400'],
  ["extract(dow from date '2024-02-29')", '4'],
  ['to_timestamp(1.5)', '1970-01-01T00:00:01.5Z'],
  ["date '1969-12-31' < date '1970-01-01'", true],
  ['1 = 1 AND NOT 2 = 3 OR false', true],
  ['NULL IS NULL', true],
  ['(1 = 2) IS FALSE', true],
  ['NULL = 1', null],
  ['2 BETWEEN 1 AND 3', true],
  ['2 NOT IN (1, 3)', true],
  ['2 IN (2)', true],
  ['10 - 2 - 3', 5n],
  ['8 / 4 * 2', 4n],
  ['1 < 2 = true', true],
  ["'Abc' LIKE 'a%'", false],
  ["'Abc' ILIKE 'a_C'", true],
  ["'a%c' LIKE 'a\\%c'", true],
  ["'abc' NOT LIKE 'a\\%c'", true],
  ["CASE 2 WHEN 1 THEN 'one' WHEN 2 THEN 'two' END", 'two'],
  ['CASE WHEN false THEN 1 ELSE 2.5 END', '2.5'],
  ['coalesce(NULL, NULL, 4)', 4n],
  ['nullif(1, 1)', null],
  ['greatest(1, NULL, 3)', 3n],
  ["least('b', 'a')", 'a'],
  ['abs(-4)', 4n],
  ['round(2.345, 2)', '2.35'],
  ['round(-2.5::float8)', -2],
  ['round(-2.5)', '-3'],
  ['floor(-1.5)', '-2'],
  ['ceil(5)', 5n],
  ['power(2, 10)', 1024],
  ['sqrt(16)', 4],
  ["length('naïve')", 5n],
  ["upper('abc') || lower('DEF')", 'ABCdef'],
  ["substring('abcdef' from 2 for 3)", 'bcd'],
  ["substr('abcdef', 5)", 'ef'],
  ["left('abc', 2) || right('abc', 1)", 'abc'],
  ["replace('a-b-c', '-', '+')", 'a+b+c'],
  ["trim('  x ')", 'x'],
  ["strpos('hello', 'l')", 3n],
  ["concat('a', NULL, 1, true)", 'a1true'],
  ['EXISTS (SELECT 1)', true],
  ['(SELECT max(count) FROM reading)', 0n],
  ["1 IN (SELECT level FROM station WHERE name <> 'c')", true],
  ["(SELECT doc -> 'k' FROM reading WHERE id = 1)", '{"n":1.50}'],
  ["(SELECT doc -> 'k' ->> 'n' FROM reading WHERE id = 1)", '1.50'],
  ["(SELECT doc ->> 't' FROM reading WHERE id = 1)", 'x'],
  ["(SELECT doc -> 'l' -> 1 FROM reading WHERE id = 1)", '2'],
  ["(SELECT doc ->> 'b' FROM reading WHERE id = 1)", 'true'],
  ["(SELECT doc ->> 'z' FROM reading WHERE id = 1)", null],
  ["(SELECT doc ->> 'none' FROM reading WHERE id = 1)", null],
]

/** Whole results. */
const queries: readonly (readonly [string, readonly SqlParam[], unknown[][]])[] = [
  ['SELECT count(*), sum(value), avg(count), min(station), bool_and(good) FROM reading', [], [[3n, 3, '0', 'a', true]]],
  [
    'SELECT station, count(*) AS n FROM reading GROUP BY station HAVING count(*) > ? ORDER BY n DESC',
    params(0n),
    [
      ['a', 2n],
      ['b', 1n],
    ],
  ],
  ['SELECT upper(station) AS s, sum(value) FROM reading GROUP BY upper(station) ORDER BY 1 LIMIT 1', [], [['A', 4]]],
  ['SELECT station s, sum(value) FROM reading GROUP BY 1 ORDER BY s DESC LIMIT 1 OFFSET 1', [], [['a', 4]]],
  [
    'SELECT s.name, r.value FROM station s LEFT JOIN reading r ON r.station = s.name AND r.value > 0 ORDER BY s.name, r.value',
    [],
    [
      ['a', 1.5],
      ['a', 2.5],
      ['b', null],
      ['c', null],
    ],
  ],
  [
    'SELECT * FROM (SELECT name, level FROM station) x JOIN (SELECT station AS name, value FROM reading) y USING (name) WHERE value < 2 ORDER BY value',
    [],
    [
      ['b', 2n, -1],
      ['a', 1n, 1.5],
    ],
  ],
  ['SELECT count(*) FROM station a, station b WHERE a.name < b.name', [], [[3n]]],
  ['SELECT owner FROM station ORDER BY owner', [], [['ann'], ['bob'], [null]]],
  ['SELECT owner FROM station ORDER BY owner DESC LIMIT 1', [], [[null]]],
  ['SELECT owner FROM station ORDER BY owner DESC NULLS LAST LIMIT 1', [], [['bob']]],
  ['SELECT DISTINCT station FROM reading ORDER BY station', [], [['a'], ['b']]],
  ['SELECT count(DISTINCT station), count(*) FILTER (WHERE value > 0) FROM reading', [], [[2n, 2n]]],
  ["SELECT string_agg(name, ',' ORDER BY name DESC) FROM station", [], [['c,b,a']]],
  [
    'WITH good AS (SELECT station, value FROM reading WHERE good), top AS (SELECT max(value) AS v FROM good) SELECT station FROM good, top WHERE value = v',
    [],
    [['a']],
  ],
  ['SELECT n FROM (SELECT 2 AS n UNION SELECT 1 UNION SELECT 1) u ORDER BY n', [], [[1n], [2n]]],
  ['SELECT n FROM (SELECT 2 AS n UNION ALL SELECT 1 UNION ALL SELECT 1) u ORDER BY n', [], [[1n], [1n], [2n]]],
  ["SELECT x || y FROM (SELECT 'a' AS x, NULL AS y) u WHERE x = 'a'", [], [[null]]],
  [
    'SELECT a.name, b.name FROM station a FULL JOIN station b ON a.level = b.level + 1 ORDER BY a.name, b.name',
    [],
    [
      ['a', null],
      ['b', 'a'],
      ['c', null],
      [null, 'b'],
      [null, 'c'],
    ],
  ],
  ['SELECT a, b FROM (VALUES (1, NULL), (2, 3)) v(a, b) WHERE b IS NOT NULL', [], [[2n, 3n]]],
  [
    'SELECT name FROM station s WHERE EXISTS (SELECT 1 FROM reading r WHERE r.station = s.name AND r.value < 0)',
    [],
    [['b']],
  ],
  [
    'SELECT price, at FROM reading WHERE at > ? ORDER BY id',
    params('2024-01-01'),
    [
      ['10.00', '2024-05-06T07:08:09.5Z'],
      ['0.10', '2024-05-06T07:08:09Z'],
    ],
  ],
  ["SELECT id FROM reading WHERE at = '2024-05-06T07:08:09+00:00'", [], [[2n]]],
  ['SELECT $2, $1', params('x', 2n), [[2n, 'x']]],
  ['SELECT \'?\', "name" /* ? */ FROM station WHERE name = ? -- ?', params('a'), [['?', 'a']]],
  ['SELECT count(*) FROM public.station', [], [[3n]]],
]

const failures: readonly (readonly [string, readonly SqlParam[], string])[] = [
  ['SELECT * FROM missing', [], 'SQL_FAILED'],
  ['SELECT missing FROM station', [], 'SQL_FAILED'],
  ['SELECT rowid FROM station', [], 'SQL_FAILED'],
  ['SELECT name FROM station a, station b', [], 'SQL_FAILED'],
  ['SELECT name, count(*) FROM station', [], 'SQL_FAILED'],
  ['SELECT name FROM station WHERE count(*) > 1', [], 'SQL_FAILED'],
  ['SELECT 1 / 0', [], 'SQL_FAILED'],
  ['SELECT 9223372036854775807 + 1', [], 'SQL_FAILED'],
  ['SELECT 2147483647 + 1', [], 'SQL_FAILED'],
  ["SELECT 'x'::int", [], 'SQL_FAILED'],
  ["SELECT '2024-02-30'::date", [], 'SQL_FAILED'],
  ['SELECT name = 1 FROM station', [], 'SQL_FAILED'],
  ["SELECT 1 WHERE 'abc' = true", [], 'SQL_FAILED'],
  ['SELECT name FROM station WHERE level', [], 'SQL_FAILED'],
  ["INSERT INTO station VALUES ('a', 'x', 1)", [], 'SQL_FAILED'],
  ['INSERT INTO station (owner) VALUES (NULL)', [], 'SQL_FAILED'],
  ["INSERT INTO station VALUES ('d', 'x', 40000)", [], 'SQL_FAILED'],
  ["INSERT INTO station VALUES ('d', true, 'x')", [], 'SQL_FAILED'],
  ["INSERT INTO station VALUES ('d', 'x', 1, 2)", [], 'SQL_FAILED'],
  ["INSERT INTO reading (station) VALUES ('123456789')", [], 'SQL_FAILED'],
  ["INSERT INTO reading (station, price) VALUES ('a', 123456789)", [], 'SQL_FAILED'],
  ["INSERT INTO reading (station, doc) VALUES ('a', '{')", [], 'SQL_FAILED'],
  ['INSERT INTO reading (station, count) VALUES (?, ?)', params('a', 2n ** 40n), 'SQL_FAILED'],
  ['INSERT INTO reading (station) VALUES (?)', params('a\0b'), 'SQL_FAILED'],
  ['CREATE TABLE station (a int)', [], 'SQL_FAILED'],
  ['DROP TABLE missing', [], 'SQL_FAILED'],
  ['SELECT ?', [], 'SQL_PARAMETERS'],
  ['SELECT 1', params(1n), 'SQL_PARAMETERS'],
  ['SELECT $1, $3', params(1n, 2n), 'SQL_PARAMETERS'],
  ['SELEC 1', [], 'SQL_SYNTAX'],
  ['SELECT 1 FROM', [], 'SQL_SYNTAX'],
  ["SELECT 'open", [], 'SQL_SYNTAX'],
  ['SELECT /* open', [], 'SQL_SYNTAX'],
  ['SELECT 12ab', [], 'SQL_SYNTAX'],
  ['', [], 'SQL_SYNTAX'],
  ['-- nothing', [], 'SQL_SYNTAX'],
]

/** The exam in the dialect of `docs/spec/sql.md`. */
export function sqlSuite(candidate: Candidate): void {
  describe(`sql ${candidate.name}`, () => {
    let store: ProjectStore
    let transaction: ProjectTransaction
    const run = async (statement: string, given: readonly SqlParam[] = []): Promise<SqlResult> =>
      transaction.sqlExecute({ statement, params: given })

    beforeEach(async () => {
      store = await (await candidate.open()).openProject(project)
      transaction = await store.begin()
      for (const statement of setup) await run(statement)
      return async () => store.close()
    })
    afterAll(() => candidate.dispose())

    it.each(scalars)('SELECT %s', async (expression, value) => {
      expect((await run(`SELECT ${expression}`)).rows).toEqual([[value]])
    })

    it.each(queries)('%s', async (statement, given, rows) => {
      expect((await run(statement, given)).rows).toEqual(rows)
      // From the cache, too.
      expect((await run(statement, given)).rows).toEqual(rows)
    })

    it.each(failures)('fails: %s', async (statement, given, code) => {
      await expect(async () => run(statement, given)).rejects.toMatchObject({ code })
    })

    it.each(refusals)('refuses: %s', async (statement, what) => {
      await expect(async () => run(statement)).rejects.toMatchObject({
        fault: { code: 'SQL_REFUSED', what: expect.stringMatching(what), wanted: expect.any(String) },
      })
    })

    it('names and types the columns of a result', async () => {
      const { columns } = await run(
        'SELECT id, station AS place, value, good, price, at, raw, doc, big, NULL AS n, count(*) FROM reading GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9',
      )
      expect(columns.map(({ name, type }) => `${name} ${type}`)).toEqual(
        'id integer,place text,value real,good boolean,price numeric,at timestamp,raw bytes,doc json,big bigint,n text,count bigint'.split(
          ',',
        ),
      )
    })

    it('binds every type of parameter to a column of its own', async () => {
      const at: SqlParam = { type: 'time', value: '2024-05-06T07:08:09Z' }
      const values: SqlParam[] = [
        ...params('s', 0.1, false, '12.5'),
        at,
        ...params(bytes(4, 1), '{"a":1}', 5n, 2n ** 62n),
      ]
      const { rows, changes } = await run(
        `INSERT INTO reading (station, value, good, price, at, raw, doc, count, big)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING station, value, good, price, at, raw, doc, count, big`,
        values,
      )
      expect(changes).toBe(1)
      expect(rows).toEqual([['s', 0.1, false, '12.50', '2024-05-06T07:08:09Z', bytes(4, 1), '{"a":1}', 5n, 2n ** 62n]])
    })

    it('takes NULL and text where another type is wanted', async () => {
      await run('INSERT INTO reading (station, value, good, big) VALUES (?, ?, ?, ?)', params('s', null, 'false', '77'))
      expect((await run("SELECT value, good, big FROM reading WHERE station = 's'")).rows).toEqual([[null, false, 77n]])
    })

    it('counts the rows that change', async () => {
      expect((await run("UPDATE reading SET value = value + 1, good = false WHERE station = 'a'")).changes).toBe(2)
      expect((await run("UPDATE reading SET good = true WHERE station = 'zz'")).changes).toBe(0)
      expect((await run('DELETE FROM reading WHERE NOT good RETURNING id, value')).rows).toEqual([
        [1n, 2.5],
        [2n, 3.5],
      ])
      expect((await run('CREATE INDEX reading_at ON reading (at DESC)')).changes).toBe(0)
    })

    it('updates from another table', async () => {
      await run('UPDATE reading r SET value = s.level FROM station s WHERE s.name = r.station')
      expect((await run('SELECT value FROM reading ORDER BY id')).rows).toEqual([[1], [1], [2]])
    })

    it('inserts what a query answers, with the types of the columns', async () => {
      const insert = "INSERT INTO reading (station, big, price, good) SELECT name, level, '3', 'no' FROM station"
      expect(
        (await run(`${insert} WHERE level IS NOT NULL ORDER BY name RETURNING station, big, price, good`)).rows,
      ).toEqual([
        ['a', 1n, '3.00', false],
        ['b', 2n, '3.00', false],
      ])
      await run("WITH x AS (SELECT 'w' AS n) INSERT INTO station (name) SELECT n FROM x")
      expect((await run("SELECT count(*) FROM station WHERE name = 'w'")).rows).toEqual([[1n]])
    })

    it('resolves conflicts', async () => {
      const upsert =
        'INSERT INTO station (name, level) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET level = station.level + excluded.level WHERE station.level < 3 RETURNING level'
      expect((await run(upsert, params('a'))).rows).toEqual([[2n]])
      expect((await run(upsert, params('a'))).rows).toEqual([[3n]])
      expect((await run(upsert, params('a'))).rows).toEqual([])
      expect((await run("INSERT INTO station (name) VALUES ('a'), ('x') ON CONFLICT DO NOTHING")).changes).toBe(1)
      const chosen =
        "INSERT INTO station (name) SELECT name FROM station WHERE name = 'x' ON CONFLICT (name) DO NOTHING"
      expect((await run(chosen)).changes).toBe(0)
    })

    it('numbers serial columns, never twice', async () => {
      const insert = "INSERT INTO reading (id, station) VALUES (DEFAULT, 'n') RETURNING id"
      expect((await run(insert)).rows).toEqual([[4n]])
      await run('DELETE FROM reading')
      expect((await run(insert)).rows).toEqual([[5n]])
    })

    it('writes out defaults', async () => {
      await run(
        "CREATE TABLE d (a int DEFAULT 1 + 1, b text DEFAULT 'x' || 'y', c timestamp DEFAULT '2024-01-01', e int)",
      )
      await run('INSERT INTO d VALUES (DEFAULT, DEFAULT, DEFAULT, DEFAULT), (9)'.replace(', (9)', ''))
      await run('INSERT INTO d (e) VALUES (3)')
      await run('UPDATE d SET e = DEFAULT')
      expect((await run('SELECT * FROM d')).rows).toEqual(Array(2).fill([2n, 'xy', '2024-01-01T00:00:00Z', null]))
    })

    it('changes tables', async () => {
      await run(
        "ALTER TABLE station ADD COLUMN note varchar(5) NOT NULL DEFAULT '-', ADD COLUMN IF NOT EXISTS owner text",
      )
      expect((await run("SELECT note FROM station WHERE name = 'a'")).rows).toEqual([['-']])
      await run('CREATE UNIQUE INDEX one_owner ON station (lower(owner)) WHERE owner IS NOT NULL')
      await expect(async () => run("INSERT INTO station (name, owner) VALUES ('q', 'ANN')")).rejects.toMatchObject({
        code: 'SQL_FAILED',
      })
      await run('CREATE INDEX IF NOT EXISTS one_owner ON station (owner)')
      await run('DROP INDEX one_owner')
      await run("INSERT INTO station (name, owner) VALUES ('q', 'ANN')")
      await run('CREATE TABLE IF NOT EXISTS station (a int)')
      await run('DROP TABLE IF EXISTS station, missing')
      await expect(async () => run('SELECT * FROM station')).rejects.toMatchObject({ code: 'SQL_FAILED' })
    })

    it('keeps what CHECK and UNIQUE say', async () => {
      await run("CREATE TABLE c (a int CHECK (a > 0), b text, UNIQUE (a, b), CHECK (b LIKE 'x%'))")
      await run("INSERT INTO c VALUES (1, 'x1')")
      for (const row of ["(0, 'x')", "(1, 'y')", "(1, 'x1')"])
        await expect(async () => run(`INSERT INTO c VALUES ${row}`)).rejects.toMatchObject({ code: 'SQL_FAILED' })
      await run("INSERT INTO c VALUES (NULL, 'x1')")
    })

    it('tells names by case, and takes any name in quotes', async () => {
      await run('CREATE TABLE "Odd ""Name" ("A b" int, "select" text)')
      await run('INSERT INTO "Odd ""Name" VALUES (1, \'x\')')
      expect(await run('SELECT "A b", "select" AS "C" FROM "Odd ""Name"')).toMatchObject({
        columns: [{ name: 'A b' }, { name: 'C' }],
        rows: [[1n, 'x']],
      })
      await expect(async () => run('SELECT * FROM "Station"')).rejects.toMatchObject({ code: 'SQL_FAILED' })
    })

    it("keeps the node's own tables out of reach", async () => {
      for (const name of ['kv', 'message', '"main.kv"', 'sqlite_master', 'sqlite_schema', 'sql_table'])
        await expect(async () => run(`SELECT * FROM ${name}`)).rejects.toMatchObject({
          code: expect.stringMatching(/^SQL_(FAILED|REFUSED)$/),
        })
      await run('CREATE TABLE kv (a int)')
      await run('INSERT INTO kv VALUES (1)')
      expect((await run('WITH message AS (SELECT a FROM kv) SELECT count(*) FROM message')).rows).toEqual([[1n]])
      expect(await transaction.kvGet('n', 'k')).toBeUndefined()
    })

    it('leaves no trace of a statement that fails', async () => {
      await expect(async () => run("INSERT INTO station (name) VALUES ('n1'), ('a')")).rejects.toThrow()
      const limits = { rows: 1, bytes: 1000 }
      const deletion = { statement: 'DELETE FROM reading RETURNING id', params: [] }
      await expect(async () => transaction.sqlExecute(deletion, limits)).rejects.toMatchObject({ code: 'SQL_LIMIT' })
      expect((await run('SELECT (SELECT count(*) FROM station), count(*) FROM reading')).rows).toEqual([[3n, 3n]])
    })

    it('limits rows and bytes', async () => {
      const all = { statement: 'SELECT id, station FROM reading', params: [] }
      const fault = async (rows: number, size: number) =>
        expect(async () => transaction.sqlQuery(all, { rows, bytes: size })).rejects
      await (await fault(2, 1000)).toMatchObject({ fault: { code: 'SQL_LIMIT', what: 'rows', limit: 2 } })
      await (await fault(3, 26)).toMatchObject({ fault: { code: 'SQL_LIMIT', what: 'bytes', limit: 26 } })
      expect((await transaction.sqlQuery(all, { rows: 3, bytes: 27 })).rows).toHaveLength(3)
    })

    it('reads only where only reading is asked for', async () => {
      for (const statement of ['DELETE FROM reading', 'INSERT INTO station (name) VALUES (1)', 'DROP TABLE reading'])
        await expect(async () => transaction.sqlQuery({ statement, params: [] })).rejects.toMatchObject({
          code: 'SQL_REFUSED',
        })
      const cached = { statement: 'DELETE FROM reading WHERE id = 99', params: [] }
      await transaction.sqlExecute(cached)
      await expect(async () => transaction.sqlQuery(cached)).rejects.toMatchObject({ code: 'SQL_REFUSED' })
    })

    it('forgets tables of a savepoint that went back', async () => {
      await transaction.savepoint()
      await run('ALTER TABLE station ADD COLUMN extra int')
      await run('SELECT extra FROM station')
      await transaction.rollbackToSavepoint()
      await expect(async () => run('SELECT extra FROM station')).rejects.toMatchObject({ code: 'SQL_FAILED' })
    })

    it('keeps schemas apart', async () => {
      await run('CREATE TABLE other.station (name int)')
      expect((await run('SELECT count(*) FROM other.station')).rows).toEqual([[0n]])
      expect((await run('SELECT count(*) FROM station')).rows).toEqual([[3n]])
    })
  })
}

import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { DatabaseSchema, ProjectStore, ProjectTransaction, TableSchema } from './database.ts'
import { type Candidate, project } from './exam.ts'

type Column = TableSchema['cols'][number]['constrains']

function column(name: string, datatype: string, more: Partial<Column> = {}): TableSchema['cols'][number] {
  return { name, constrains: { datatype, ...more } }
}

function tables(...list: TableSchema[]): DatabaseSchema {
  return { dialect: 'POSTGRES', schemas: [{ schema: 'public', tables: list }] }
}

const readings: TableSchema = {
  name: 't_reading',
  cols: [
    column('f_id', 'INT64', { autoincrement: true }),
    column('f_device', 'TEXT', { length: 16 }),
    column('f_value', 'FLOAT64', { default: '0' }),
    column('f_note', 'TEXT', { default: '' }),
    column('f_ok', 'BOOL', { null: true }),
    column('f_small', 'INT32', { default: '5', null: true }),
    column('f_price', 'DECIMAL', { length: 10, decimal: 2, null: true }),
    column('f_at', 'TIMESTAMP', { default: '0' }),
  ],
  keys: [
    { name: 'pkey', isUnique: true, columnNames: ['f_id'] },
    { isUnique: true, method: 'btree', columnNames: ['f_device', 'f_at'] },
    { name: 'x', columnNames: ['f_at'] },
  ],
}

/** The exam of schema changes (`PROJECT_DATABASE`). */
export function schemaSuite(candidate: Candidate): void {
  describe(`schema ${candidate.name}`, () => {
    let store: ProjectStore
    let transaction: ProjectTransaction
    const rows = async (statement: string) => (await transaction.sqlExecute({ statement, params: [] })).rows
    const migrate = async (...list: TableSchema[]) => transaction.migrate(tables(...list))
    const change = (index: number, col: TableSchema['cols'][number]): TableSchema => ({
      ...readings,
      cols: readings.cols.with(index, col),
    })

    beforeEach(async () => {
      store = await (await candidate.open()).openProject(project)
      transaction = await store.begin()
      await migrate(readings)
      await rows("INSERT INTO t_reading (f_device, f_at) VALUES ('d1', 1)")
      return async () => store.close()
    })
    afterAll(() => candidate.dispose())

    it('makes the declared tables, with their defaults', async () => {
      expect(await rows('SELECT * FROM t_reading')).toEqual([[1n, 'd1', 0, '', null, 5n, null, 1n]])
      await expect(async () => rows("INSERT INTO t_reading (f_device, f_at) VALUES ('d1', 1)")).rejects.toMatchObject({
        code: 'SQL_FAILED',
      })
      await expect(async () => rows('INSERT INTO t_reading (f_at) VALUES (1)')).rejects.toMatchObject({
        code: 'SQL_FAILED',
      })
    })

    it('names keys after table, kind and columns', async () => {
      await rows('DROP INDEX t_reading_t_reading_primary_f_id')
      await rows('DROP INDEX t_reading_t_reading_ui_f_device_f_at')
      await rows('DROP INDEX t_reading_t_reading_i_f_at')
    })

    it('does nothing the second time', async () => {
      await migrate(readings)
      await migrate(readings)
      expect(await rows('SELECT f_id FROM t_reading')).toEqual([[1n]])
    })

    it('adds tables, columns and indexes and keeps what is no longer declared', async () => {
      const more = {
        ...readings,
        cols: [...readings.cols.slice(0, 2), column('f_new', 'TEXT', { default: "'n'" })],
        keys: [],
      }
      await migrate({ name: 't_other', cols: [column('f_a', 'UINT8', { null: true })] })
      await migrate(more)
      expect(await rows('SELECT f_new, f_note, f_device FROM t_reading')).toEqual([['n', '', 'd1']])
      expect(await rows('SELECT count(*) FROM t_other')).toEqual([[0n]])
      // The unique key is no longer declared.
      await rows("INSERT INTO t_reading (f_device, f_at) VALUES ('d1', 1)")
    })

    it('widens types and keeps the numbering', async () => {
      await rows("INSERT INTO t_reading (f_device, f_at) VALUES ('d2', 2)")
      await rows('DELETE FROM t_reading WHERE f_id = 2')
      let wider = change(1, column('f_device', 'TEXT', { length: 30000 }))
      wider = { ...wider, cols: wider.cols.with(5, column('f_small', 'INT64', { null: true, default: '6' })) }
      await migrate({ ...wider, cols: [...wider.cols, column('f_more', 'INT', { default: '1' })] })
      await rows(`INSERT INTO t_reading (f_device, f_small, f_at) VALUES ('${'x'.repeat(300)}', 5000000000, 3)`)
      expect(await rows('SELECT f_id, f_small, f_more FROM t_reading ORDER BY f_id')).toEqual([
        [1n, 5n, 1n],
        [3n, 5000000000n, 1n],
      ])
      await migrate(wider)
    })

    it.each<[string, TableSchema, RegExp]>([
      ['a shorter text', change(1, column('f_device', 'TEXT', { length: 8 })), /f_device.*varchar/],
      ['another type', change(2, column('f_value', 'INT32')), /f_value.*lose/],
      ['a smaller integer', change(7, column('f_at', 'INT32')), /f_at/],
      ['fewer digits', change(6, column('f_price', 'DECIMAL', { length: 5, decimal: 2, null: true })), /f_price/],
      ['NOT NULL over NULLs', change(4, column('f_ok', 'BOOL')), /f_ok.*NULL/],
      [
        'a new column that must have a value',
        { ...readings, cols: [...readings.cols, column('f_x', 'INT')] },
        /f_x.*default/,
      ],
      [
        'a new column that numbers itself',
        { ...readings, cols: [...readings.cols.slice(1), column('f_x', 'INT', { autoincrement: true })], keys: [] },
        /f_x.*autoincrement/,
      ],
    ])('refuses %s, and says why', async (_, table, problem) => {
      await expect(async () => migrate(table)).rejects.toMatchObject({
        fault: { code: 'SCHEMA_DESTRUCTIVE', problems: [expect.stringMatching(problem)] },
      })
      expect(await rows('SELECT * FROM t_reading')).toEqual([[1n, 'd1', 0, '', null, 5n, null, 1n]])
    })

    it('refuses a unique key over rows that repeat', async () => {
      await rows("INSERT INTO t_reading (f_device, f_at) VALUES ('d2', 2)")
      const unique = { ...readings, keys: [...readings.keys!, { isUnique: true, columnNames: ['f_note'] }] }
      await expect(async () => migrate(unique)).rejects.toMatchObject({ code: 'SCHEMA_DESTRUCTIVE' })
    })

    it('lists every destructive change and applies none', async () => {
      const both = { ...change(1, column('f_device', 'TEXT', { length: 8 })) }
      both.cols = [...both.cols.with(2, column('f_value', 'BOOL')), column('f_y', 'INT', { null: true })]
      await expect(async () => migrate({ name: 't_new', cols: [column('a', 'INT')] }, both)).rejects.toMatchObject({
        fault: { problems: [expect.stringContaining('f_device'), expect.stringContaining('f_value')] },
      })
      await expect(async () => rows('SELECT * FROM t_new')).rejects.toMatchObject({ code: 'SQL_FAILED' })
    })

    it('lets an empty table change at will', async () => {
      await rows('DELETE FROM t_reading')
      await migrate(change(1, column('f_device', 'INT32')))
      await rows('INSERT INTO t_reading (f_device) VALUES (7)')
      expect(await rows('SELECT f_device FROM t_reading')).toEqual([[7n]])
    })

    it('lists everything that is wrong, with its place', async () => {
      const schema = {
        dialect: 'MYSQL',
        schemas: [
          {
            schema: 'pg_catalog',
            tables: [
              { name: 'a.b', cols: [] },
              {
                name: 't',
                cols: [
                  column('c', 'INT128'),
                  column('d', 'INT', { default: 'now()' }),
                  column('d', 'BOOL', { autoincrement: true }),
                  column('e', 'DECIMAL', { length: 40 }),
                  column('f', 'INT', { default: "'x'" }),
                  column('g', 'TEXT', { default: '(SELECT 1)' }),
                ],
                keys: [{ columnNames: ['zz'], method: 'gin', expr: 'x' }, { columnNames: [] }],
              },
            ],
          },
          {
            tables: [
              { name: 'T', cols: [column('a', 'INT')] },
              { name: 't', cols: [column('a', 'INT')] },
            ],
          },
        ],
      } as unknown as DatabaseSchema
      const places = [
        'dialect "MYSQL": POSTGRES',
        'schemas[0].schema "pg_catalog"',
        'schemas[0].tables[0].name "a.b"',
        'schemas[0].tables[0].cols',
        'schemas[0].tables[1].cols[0].constrains datatype "INT128": one of INT, INT8',
        'schemas[0].tables[1].cols[1].constrains.default "now()"',
        'schemas[0].tables[1].cols[2].constrains.autoincrement',
        'schemas[0].tables[1].cols[3].constrains length 40',
        'schemas[0].tables[1].cols[4].constrains.default "\'x\'"',
        'schemas[0].tables[1].cols[5].constrains.default',
        'schemas[0].tables[1].cols column d twice',
        'schemas[0].tables[1].keys[0].columnNames "zz"',
        'schemas[0].tables[1].keys[0].method "gin": btree',
        'schemas[0].tables[1].keys[0].expr',
        'schemas[0].tables[1].keys[1].columnNames',
        'schemas: table public.t twice',
      ]
      await expect(async () => transaction.migrate(schema)).rejects.toMatchObject({
        fault: {
          code: 'SCHEMA_INVALID',
          problems: expect.arrayContaining(places.map((place) => expect.stringContaining(place))),
        },
      })
    })

    it('goes back with the transaction', async () => {
      await transaction.savepoint()
      await migrate({ name: 't_new', cols: [column('a', 'INT')] })
      await transaction.rollbackToSavepoint()
      await migrate({ name: 't_new', cols: [column('a', 'INT'), column('b', 'INT')] })
      expect(await rows('SELECT a, b FROM t_new')).toEqual([])
    })
  })
}

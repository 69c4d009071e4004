import { describe, expect, it } from 'vitest'
import type { SqlParam } from '../engine-contract.ts'
import { openSqliteDatabase } from './sqlite-database.ts'

const deps = { fault: (reason: string, message: string) => Object.assign(new Error(message), { reason }) }
const column = (name: string, datatype: string, more: object = {}) => ({ name, constrains: { datatype, ...more } })

function open() {
  const cols = [
    column('id', 'INT64', { autoincrement: true }),
    column('name', 'TEXT', { default: '' }),
    column('on', 'BOOL', { null: true }),
    column('price', 'DECIMAL', { null: true }),
    column('size', 'FLOAT64', { default: '0.5' }),
  ]
  const keys = [{ isUnique: true, columnNames: ['name'] }]
  return openSqliteDatabase({ schemas: [{ tables: [{ name: 't', cols, keys }] }] }, deps)
}

const insert = (name: string): { statement: string; params: SqlParam[] } => ({
  statement: 'INSERT INTO t (name) VALUES (?)',
  params: [{ type: 'string', value: name }],
})

describe('openSqliteDatabase', () => {
  it('gives types, defaults and rows', () => {
    const database = open()
    expect(database.execute(insert('a'))).toMatchObject({ changes: 1 })
    database.execute({
      statement: 'UPDATE public.t SET "on" = $2, price = $3 WHERE name = $1',
      params: [
        { type: 'string', value: 'a' },
        { type: 'bool', value: true },
        { type: 'string', value: '12.50' },
      ],
    })
    const all = database.query({ statement: 'SELECT *, COUNT(*) AS n, AVG(size) AS m FROM t', params: [] })
    expect(all.columns.map(({ name, type }) => `${name}:${type}`)).toEqual([
      'id:integer',
      'name:text',
      'on:boolean',
      'price:numeric',
      'size:real',
      'n:bigint',
      'm:real',
    ])
    expect(all.rows).toEqual([[1n, 'a', true, '12.5', 0.5, 1n, 0.5]])
  })

  it.each([
    ['a second statement', { statement: 'SELECT 1; SELECT 2', params: [] }],
    ['too few parameters', { statement: 'SELECT ?', params: [] }],
    ['too many parameters', { statement: 'SELECT 1', params: [{ type: 'null' }] as SqlParam[] }],
    ['no statement', { statement: 'NOT SQL', params: [] }],
    ['a missing table', { statement: 'SELECT * FROM absent', params: [] }],
  ])('refuses %s as a fault of SQL', (_, request) => {
    expect(() => open().execute(request)).toThrow(expect.objectContaining({ reason: 'Sql' }))
  })

  it('queries write nothing, and a unique key holds', () => {
    const database = open()
    expect(() => database.query(insert('a'))).toThrow(expect.objectContaining({ reason: 'Sql' }))
    database.execute(insert('a'))
    expect(() => database.execute(insert('a'))).toThrow(expect.objectContaining({ reason: 'Sql' }))
  })

  it('undoes what a failed handler wrote', () => {
    const database = open()
    const names = () => database.query({ statement: 'SELECT name FROM t', params: [] }).rows.flat()
    database.begin()
    database.execute(insert('kept'))
    database.commit()
    database.begin()
    database.execute(insert('undone'))
    database.rollback()
    expect(names()).toEqual(['kept'])
  })

  it('refuses a datatype that does not exist', () => {
    const schema = { schemas: [{ tables: [{ name: 't', cols: [column('a', 'MONEY')] }] }] }
    expect(() => openSqliteDatabase(schema, deps)).toThrow('t.a: unknown datatype MONEY')
  })
})

import { describe, expect, it } from 'vitest'
import type { DatabaseSchema } from './database.ts'
import { schemaProblems } from './schema-problems.ts'

const problemsOf = (tables: unknown) => schemaProblems({ schemas: [{ tables }] } as DatabaseSchema)
const withDefault = { name: 'd', constrains: { datatype: 'INT', default: '1 + 1' } }
const id = { name: 'id', constrains: { datatype: 'INT64' } }

describe('problems of a schema', () => {
  it('are none of a good one', () => {
    expect(problemsOf([{ name: 't', cols: [id, withDefault], keys: [{ columnNames: ['id'] }] }])).toEqual([])
  })

  it('are all listed, each after its path, when members are missing', () => {
    const cols = [id, { constrains: { datatype: 'BLOB' } }, { name: 'x' }]
    const problems = problemsOf([{ cols, keys: [{ columnNames: ['nope'] }, {}] }])
    const at = 'schemas[0].tables[0]'
    expect(problems.map((problem) => problem.split(/[: ]/)[0])).toEqual([
      `${at}.name`,
      `${at}.cols[1].name`,
      `${at}.cols[1].constrains`,
      `${at}.cols[2].constrains`,
      `${at}.keys[0].columnNames`,
      `${at}.keys[1].columnNames`,
    ])
  })
})

import { describe, expect, it } from 'vitest'
import { databaseOf } from './tables.ts'

describe('tables of a project file', () => {
  it('become PROJECT_DATABASE', () => {
    const database = databaseOf({
      version: 1,
      name: 'a',
      tables: {
        readings: {
          columns: {
            id: { type: 'int64', autoincrement: true },
            price: { type: 'decimal', length: 10, decimal: 2, nullable: true, default: '0', description: 'per kWh' },
            station: 'text',
          },
          unique: [['id']],
          index: [['station', 'id']],
        },
      },
    })
    expect(database).toEqual({
      dialect: 'POSTGRES',
      schemas: [
        {
          schema: 'public',
          tables: [
            {
              name: 'readings',
              cols: [
                { name: 'id', constrains: { datatype: 'INT64', autoincrement: true } },
                {
                  name: 'price',
                  constrains: {
                    datatype: 'DECIMAL',
                    length: 10,
                    decimal: 2,
                    null: true,
                    default: '0',
                    desc: 'per kWh',
                  },
                },
                { name: 'station', constrains: { datatype: 'TEXT' } },
              ],
              keys: [
                { isUnique: true, columnNames: ['id'] },
                { isUnique: false, columnNames: ['station', 'id'] },
              ],
            },
          ],
        },
      ],
    })
  })

  it('stay as they are in the raw form, and are left alone when there are none', () => {
    const database = { schemas: [{ tables: [] }] }
    expect(databaseOf({ version: 1, name: 'a', database })).toBe(database)
    expect(databaseOf({ version: 1, name: 'a' })).toBeUndefined()
  })
})

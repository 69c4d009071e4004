import Type, { type Static } from 'typebox'
import type { DatabaseSchema } from '../../database/database.ts'

/** Configuration of a project: variables, tables, stream flow. Spelling (`constrains`) as published. */

export const EnvConfig = Type.Object({
  env: Type.Optional(
    Type.Union([
      Type.Array(Type.Tuple([Type.String({ maxLength: 256 }), Type.String({ maxLength: 65_536 })]), { maxItems: 1000 }),
      Type.Null(),
    ]),
  ),
})

const Column = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 63 }),
  constrains: Type.Object({
    datatype: Type.String({ maxLength: 32 }),
    length: Type.Optional(Type.Integer({ minimum: 0 })),
    decimal: Type.Optional(Type.Integer({ minimum: 0 })),
    default: Type.Optional(Type.Union([Type.String({ maxLength: 1024 }), Type.Null()])),
    null: Type.Optional(Type.Boolean()),
    autoincrement: Type.Optional(Type.Boolean()),
    desc: Type.Optional(Type.String({ maxLength: 4096 })),
  }),
})

const Key = Type.Object({
  name: Type.Optional(Type.String({ maxLength: 63 })),
  method: Type.Optional(Type.String({ maxLength: 32 })),
  isUnique: Type.Optional(Type.Boolean()),
  columnNames: Type.Array(Type.String({ maxLength: 63 }), { maxItems: 32 }),
  expr: Type.Optional(Type.String({ maxLength: 1024 })),
})

const Table = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 63 }),
  desc: Type.Optional(Type.String({ maxLength: 4096 })),
  cols: Type.Array(Column, { maxItems: 1000 }),
  keys: Type.Optional(Type.Union([Type.Array(Key, { maxItems: 100 }), Type.Null()])),
})

const Schema = Type.Object({
  schema: Type.Optional(Type.String({ maxLength: 63 })),
  tables: Type.Array(Table, { maxItems: 1000 }),
})

export const DatabaseConfig = Type.Object({
  dialect: Type.Optional(Type.Enum(['POSTGRES', ''])),
  schemas: Type.Optional(Type.Union([Type.Array(Schema, { maxItems: 100 }), Type.Null()])),
})

/** The tables without the nulls that Go clients send for what is empty. */
export function databaseOf({ dialect, schemas }: Static<typeof DatabaseConfig>): DatabaseSchema {
  return {
    ...(dialect ? { dialect } : {}),
    ...(schemas
      ? {
          schemas: schemas.map(({ tables, ...schema }) => ({
            ...schema,
            tables: tables.map(({ keys, ...table }) => (keys ? { ...table, keys } : table)),
          })),
        }
      : {}),
  }
}

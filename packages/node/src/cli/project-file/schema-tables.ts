import { type Static, Type } from 'typebox'

/** Data types of `PROJECT_DATABASE`, lower-case as the project file writes them. */
const types =
  'int int8 int16 int32 int64 uint uint8 uint16 uint32 uint64 float32 float64 text bool timestamp decimal numeric'

const typeName = Type.Enum(types.split(' '), { description: 'Type of the column. timestamp is a 64-bit number.' })

const columnName = Type.String({ pattern: '^[a-z_][a-z0-9_]{0,62}$' })

const columnSchema = Type.Union([
  typeName,
  Type.Object(
    {
      type: typeName,
      length: Type.Optional(
        Type.Integer({ minimum: 1, description: 'Characters of text (default 255), digits of decimal.' }),
      ),
      decimal: Type.Optional(Type.Integer({ minimum: 0, description: 'Digits after the point of decimal.' })),
      // Not `null`: YAML reads that key as the null value.
      nullable: Type.Optional(Type.Boolean({ description: 'May be NULL. Default false.' })),
      default: Type.Optional(Type.String({ description: "SQL expression, such as 0 or 'none'." })),
      autoincrement: Type.Optional(Type.Boolean({ description: 'Counts up by itself; whole numbers only.' })),
      description: Type.Optional(Type.String()),
    },
    { additionalProperties: false },
  ),
])

const columnNames = Type.Array(columnName, { minItems: 1, maxItems: 16 })

export const tableSchema = Type.Object(
  {
    description: Type.Optional(Type.String()),
    columns: Type.Record(columnName, columnSchema, {
      additionalProperties: false,
      minProperties: 1,
      maxProperties: 256,
    }),
    unique: Type.Optional(
      Type.Array(columnNames, { maxItems: 32, description: 'Lists of columns that identify a row.' }),
    ),
    index: Type.Optional(Type.Array(columnNames, { maxItems: 32, description: 'Lists of columns to search by.' })),
  },
  { additionalProperties: false, description: 'A table of the project.' },
)

export type TableSection = Static<typeof tableSchema>

/** The form of the management API, for those who have it already; checked further by the node. */
export const rawDatabaseSchema = Type.Object(
  {
    dialect: Type.Optional(Type.Enum(['POSTGRES'])),
    schemas: Type.Optional(
      Type.Array(
        Type.Object(
          {
            schema: Type.Optional(Type.String()),
            tables: Type.Array(
              Type.Object(
                {
                  name: Type.String({ minLength: 1 }),
                  desc: Type.Optional(Type.String()),
                  cols: Type.Array(
                    Type.Object(
                      {
                        name: Type.String({ minLength: 1 }),
                        constrains: Type.Object(
                          {
                            datatype: Type.String({ minLength: 1 }),
                            length: Type.Optional(Type.Integer({ minimum: 0 })),
                            decimal: Type.Optional(Type.Integer({ minimum: 0 })),
                            default: Type.Optional(Type.Union([Type.String(), Type.Null()])),
                            null: Type.Optional(Type.Boolean()),
                            autoincrement: Type.Optional(Type.Boolean()),
                            desc: Type.Optional(Type.String()),
                          },
                          { additionalProperties: false },
                        ),
                      },
                      { additionalProperties: false },
                    ),
                  ),
                  keys: Type.Optional(
                    Type.Array(
                      Type.Object(
                        {
                          name: Type.Optional(Type.String()),
                          method: Type.Optional(Type.String()),
                          isUnique: Type.Optional(Type.Boolean()),
                          columnNames: Type.Array(Type.String({ minLength: 1 })),
                          expr: Type.Optional(Type.String()),
                        },
                        { additionalProperties: false },
                      ),
                    ),
                  ),
                },
                { additionalProperties: false },
              ),
            ),
          },
          { additionalProperties: false },
        ),
      ),
    ),
  },
  { additionalProperties: false, description: 'Tables in the form of PROJECT_DATABASE, instead of tables.' },
)

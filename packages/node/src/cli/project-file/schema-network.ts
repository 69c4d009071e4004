import { Type } from 'typebox'

/** How the project's nodes agree. */
export const consensusSchema = Type.Object(
  { kind: Type.Enum(['poa', 'pbft'], { description: 'Algorithm that orders the messages. Default poa.' }) },
  { additionalProperties: false, description: 'How the nodes of the project agree.' },
)

const keepSchema = Type.Object(
  {
    age: Type.Optional(Type.String({ pattern: '^[0-9]+[smhd]$', description: 'Such as 90d, 12h.' })),
    count: Type.Optional(Type.Integer({ minimum: 1 })),
    bytes: Type.Optional(Type.Integer({ minimum: 1 })),
    archive: Type.Optional(Type.Boolean({ description: 'Archive the rest before it is dropped. Default false.' })),
  },
  { additionalProperties: false, description: 'Data within all of the bounds given is kept.' },
)

/** How long each kind of data is kept. */
export const retentionSchema = Type.Object(
  {
    messages: Type.Optional(keepSchema),
    receipts: Type.Optional(keepSchema),
    logs: Type.Optional(keepSchema),
    files: Type.Optional(keepSchema),
  },
  { additionalProperties: false, description: 'How long each kind of data is kept. Default: for ever.' },
)

/** A statement about signed readings that is to be proven, and where the proof goes. */
export const factSchema = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z0-9_]{1,32}$', description: 'Name of the fact in its project.' }),
    event: Type.String({ minLength: 1, description: 'Event type whose payloads hold the readings.' }),
    field: Type.String({ minLength: 1, description: 'Field of the payload.' }),
    readings: Type.Integer({ minimum: 1, maximum: 1024, description: 'How many readings one proof is about.' }),
    statement: Type.Object(
      {
        measure: Type.Enum(['average', 'sum', 'minimum', 'maximum', 'count']),
        above: Type.Optional(Type.Number()),
        below: Type.Optional(Type.Number()),
      },
      { additionalProperties: false, description: 'What is claimed of the readings.' },
    ),
    window: Type.Optional(Type.String({ pattern: '^[0-9]+[smhd]$', description: 'Time that the readings lie in.' })),
    system: Type.Optional(Type.String({ minLength: 1, description: 'Proof system; attested needs none.' })),
    dispatch: Type.Optional(
      Type.Array(
        Type.Object(
          {
            chain: Type.Union([Type.Integer({ minimum: 1 }), Type.String({ minLength: 1 })]),
            contract: Type.String({ pattern: '^0x[0-9a-fA-F]{40}$' }),
          },
          { additionalProperties: false },
        ),
        { maxItems: 16, description: 'Verifier contracts that are given the proof.' },
      ),
    ),
  },
  { additionalProperties: false, description: 'A statement about signed readings.' },
)

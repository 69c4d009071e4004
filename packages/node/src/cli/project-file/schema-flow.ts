import { type Static, type TProperties, Type } from 'typebox'

function closed<P extends TProperties>(properties: P, description: string) {
  return Type.Object(properties, { additionalProperties: false, description })
}

const text = (description: string, maxLength = 256) => Type.String({ minLength: 1, maxLength, description })
const handler = (description: string) => Type.Optional(text(description))
const duration = (description: string) =>
  Type.Optional(Type.String({ pattern: '^(\\d{1,9}(\\.\\d{1,9})?(ms|s|m|h|d))+$', maxLength: 64, description }))
const elements = (description: string) => Type.Optional(Type.Integer({ minimum: 1, description }))

const windowSchema = closed(
  {
    tumbling: duration('Length of windows that follow each other, such as 60s.'),
    sliding: duration('Length of windows that overlap.'),
    every: Type.Optional(
      Type.Union([Type.String({ minLength: 2, maxLength: 64 }), Type.Integer({ minimum: 1 })], {
        description: 'From one window to the next: a time, or elements of a count window.',
      }),
    ),
    session: duration('Length of the pause that ends a window.'),
    count: elements('Elements of a window.'),
    lateness: duration('How long a window waits for late events. Default 5s.'),
    idle: duration('A count window that gets nothing for this long is closed as it is. Default 1h.'),
  },
  'One of tumbling, sliding, session and count. Default: tumbling 60s.',
)

const stepSchema = closed(
  {
    filter: handler('Function that answers true for the events to keep.'),
    map: handler('Function that answers the new payload.'),
    flatmap: handler('Function that answers a list of payloads.'),
    window: Type.Optional(windowSchema),
    group: handler('Function that answers the key of the group.'),
    reduce: handler('Function of what was accumulated and an event, which answers what to accumulate.'),
  },
  'One operator, with the exported function that it is.',
)

const sinkSchema = closed(
  {
    table: Type.Optional(text('Table that gets a row for each result.', 127)),
    columns: Type.Optional(
      Type.Union(
        [
          Type.Array(text('Column, filled from the field of its name.', 63), { minItems: 1, maxItems: 500 }),
          Type.Record(Type.String(), Type.String({ minLength: 1, maxLength: 256 })),
        ],
        { description: 'Columns; as a map, each with the field that fills it.' },
      ),
    ),
    event: Type.Optional(text('Type of an event that is made of each result.', 1024)),
    topic: Type.Optional(text('MQTT topic that results are published to; {field} stands for a field.', 1024)),
    chain: Type.Optional(Type.Integer({ minimum: 1, description: 'Id of the chain that gets a transaction.' })),
    to: Type.Optional(text('Address of the contract.')),
    function: Type.Optional(text('Solidity function, such as function mint(address to, uint256 amount).', 4096)),
    args: Type.Optional(
      Type.Array(Type.String({ maxLength: 4096 }), { maxItems: 64, description: 'Its arguments, such as {owner}.' }),
    ),
    data: Type.Optional(Type.String({ maxLength: 65_536, description: 'Data of the call, instead of function.' })),
    value: Type.Optional(text('Wei. Default 0.')),
    operator: Type.Optional(text('Operator that signs. Default: that of the project.')),
  },
  'Where results go: table, event, topic or chain.',
)

/** Stream computing over events. */
export const flowSchema = closed(
  {
    events: Type.Optional(
      Type.Array(text('Event type.', 1024), { maxItems: 100, description: 'Types of the events that the flow takes.' }),
    ),
    applet: Type.Optional(text('Applet whose functions the steps are. Default: the one that routes these events.')),
    steps: Type.Optional(Type.Array(stepSchema, { maxItems: 32, description: 'Operators, in their order.' })),
    sink: Type.Optional(sinkSchema),
  },
  'Stream flow of the project. An empty map removes it.',
)

export type FlowSection = Static<typeof flowSchema>

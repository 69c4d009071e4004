import Type, { type TProperties, type TSchema } from 'typebox'
import { flowOperatorTypes, flowSinkTypes, flowWindowKinds } from '../../project/flow.ts'

/** Stream flow of a project, as published, with the additions of `docs/spec/flows.md`. What makes sense is decided in the project. */

const Whole = Type.Optional(Type.Integer({ minimum: 0 }))
const text = (maxLength: number) => Type.String({ maxLength })
/** What Go clients send for what is empty. */
const nullable = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]))
const closed = <P extends TProperties>(properties: P) => Type.Object(properties, { additionalProperties: false })

const Window = closed({
  kind: Type.Enum([...flowWindowKinds]),
  sizeMs: Whole,
  everyMs: Whole,
  gapMs: Whole,
  latenessMs: Whole,
  count: Whole,
  every: Whole,
  idleMs: Whole,
})

const Operator = closed({
  opType: Type.Enum([...flowOperatorTypes]),
  wasmFunc: Type.Optional(text(256)),
  parallel: Type.Optional(text(64)),
  window: Type.Optional(Window),
})

const Table = closed({
  endpoint: Type.Optional(text(1024)),
  DBType: Type.Optional(text(32)),
  table: text(127),
  columns: Type.Union([
    Type.Array(Type.Union([text(63), closed({ name: text(63), field: text(256) })]), { maxItems: 500 }),
    Type.Null(),
  ]),
})

const Transaction = closed({
  chainID: Type.Integer({ minimum: 0 }),
  to: Type.Optional(text(256)),
  value: Type.Optional(text(256)),
  data: Type.Optional(text(65_536)),
  function: Type.Optional(text(4096)),
  args: Type.Optional(Type.Array(text(4096), { maxItems: 64 })),
  operator: Type.Optional(text(256)),
})

const Sink = closed({
  sinkType: Type.Optional(Type.Enum([...flowSinkTypes])),
  sinkInfo: nullable(
    closed({
      DBInfo: nullable(Table),
      chainBlock: nullable(Transaction),
      event: nullable(closed({ eventType: text(1024) })),
      mqtt: nullable(closed({ topic: text(1024) })),
    }),
  ),
})

export const FlowConfig = closed({
  source: nullable(closed({ strategies: nullable(Type.Array(text(1024), { maxItems: 100 })) })),
  applet: Type.Optional(text(256)),
  operators: nullable(Type.Array(Operator, { maxItems: 100 })),
  sink: nullable(Sink),
})

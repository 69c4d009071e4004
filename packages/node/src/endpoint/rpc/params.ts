import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { FieldError } from '../api-error.ts'
import { RpcError } from './errors.ts'
import type { Params } from './json-rpc.ts'

/** Any call may carry a token of its own, which then counts instead of the connection's. */
const token = Type.Optional(Type.String({ minLength: 1, maxLength: 4096 }))
/** Full name, decimal id, or own id in hexadecimal. */
const project = Type.Optional(Type.String({ minLength: 1, maxLength: 256 }))
const strict = { additionalProperties: false }

const subscriptionKinds = ['logs', 'receipts', 'project'] as const
export type SubscriptionKind = (typeof subscriptionKinds)[number]

const schemas = {
  publish: Type.Object(
    {
      channel: Type.String({ minLength: 1, maxLength: 256 }),
      payload: Type.String(),
      encoding: Type.Optional(Type.Enum(['utf8', 'base64'])),
      eventType: Type.Optional(Type.String({ maxLength: 256 })),
      eventId: Type.Optional(Type.String({ maxLength: 256 })),
      timestamp: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
      idempotencyKey: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
      token,
    },
    strict,
  ),
  /** Text is the binary form in base64, an object the JSON form, whose members the codec checks. */
  publishEnvelope: Type.Object(
    { envelope: Type.Unsafe<string | object>({ type: ['string', 'object'] }), token },
    strict,
  ),
  getReceipt: Type.Object({ messageId: Type.String({ pattern: '^(0x)?[0-9a-fA-F]{64}$' }), project, token }, strict),
  getProject: Type.Object({ project, token }, strict),
  nodeInfo: Type.Object({ token }, strict),
  subscribe: Type.Object(
    {
      topic: Type.Enum([...subscriptionKinds]),
      project,
      appletId: Type.Optional(Type.String({ maxLength: 20 })),
      instanceId: Type.Optional(Type.String({ maxLength: 20 })),
      eventId: Type.Optional(Type.String({ maxLength: 256 })),
      token,
    },
    strict,
  ),
  unsubscribe: Type.Object({ subscription: Type.String({ maxLength: 64 }), token }, strict),
}

export type ParamsOf<Name extends keyof typeof schemas> = Type.Static<(typeof schemas)[Name]>

const validators = new Map(Object.entries(schemas).map(([name, schema]) => [name, Compile<Type.TSchema>(schema)]))

/** The parameters, when they fit. @throws RpcError RPC_INVALID_PARAMS with every mistake */
export function checkParams<Name extends keyof typeof schemas>(name: Name, params: Params): ParamsOf<Name> {
  const validator = validators.get(name)!
  if (validator.Check(params)) return params as ParamsOf<Name>
  const fields = validator.Errors(params).flatMap(describeProblem)
  throw new RpcError({ code: 'RPC_INVALID_PARAMS', fields: fields.slice(0, 50) })
}

interface Problem {
  readonly keyword: string
  readonly instancePath: string
  readonly params: object
  readonly message: string
}

function describeProblem({ keyword, instancePath, params, message }: Problem): FieldError[] {
  const at = instancePath.slice(1, 81)
  const field = (name: string, msg: string): FieldError => ({ field: name, msg, in: 'body' })
  if (keyword === 'required')
    return (params as { requiredProperties: string[] }).requiredProperties.map((name) => field(name, 'is missing'))
  // Reported once per member already, by the keyword "boolean".
  if (keyword === 'additionalProperties') return []
  if (keyword === 'boolean') return [field(at, 'is not a parameter of this method')]
  if (keyword === 'enum')
    return [field(at, `must be one of ${(params as { allowedValues: unknown[] }).allowedValues.join(', ')}`)]
  return [field(at, message)]
}

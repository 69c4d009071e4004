import { fromHex } from '@w3bstream/protocol'
import Type, { type Static } from 'typebox'
import type { Operator, OperatorKeyType } from '../../../wallet/wallet.ts'
import { ApiError } from '../../api-error.ts'
import type { RouteContext } from '../context.ts'
import { type Route, route } from '../route.ts'
import { timesOf } from '../rows.ts'
import { Id, Label, List, pageOf, paging, times } from '../schema.ts'

/** Numbers of key types, as clients know them; names are taken too. */
const numbers = { ECDSA: 1, ED25519: 2 } as const
/** Of ED25519 the secret and the public half, as Solana's tools write them. */
const keyBytes = { ECDSA: 32, ED25519: 64 } as const

const OperatorInput = Type.Object({
  name: Label,
  privateKey: Type.String({ minLength: 1, maxLength: 130, description: 'hexadecimal' }),
  paymasterKey: Type.Optional(Type.String({ maxLength: 256 })),
  type: Type.Optional(Type.Enum([1, 2, 'ECDSA', 'ED25519'], { description: 'default 1: ECDSA' })),
})

export const OperatorRow = Type.Object({
  accountID: Id,
  operatorID: Id,
  name: Type.String(),
  type: Type.Integer(),
  address: Type.String(),
  ...times,
})

export function operatorRow(operator: Operator): Static<typeof OperatorRow> {
  const { accountId, operatorId, name, type, address } = operator
  return { accountID: accountId, operatorID: operatorId, name, type: numbers[type], address, ...timesOf(operator) }
}

export function operatorRoutes({ deps: { wallet, projects } }: RouteContext): Route[] {
  const group = 'Operator'
  return [
    route({
      method: 'POST',
      path: '/operator',
      summary: 'Add a key for transactions',
      group,
      body: OperatorInput,
      answer: OperatorRow,
      handle: async ({ body, account }) => {
        if (body.paymasterKey) throw new ApiError('BadRequest', 'paymasterKey: this node does not use paymasters')
        const type: OperatorKeyType = body.type === 2 || body.type === 'ED25519' ? 'ED25519' : 'ECDSA'
        const privateKey = readKey(body.privateKey, type)
        return operatorRow(
          await wallet.createOperator({ accountId: account.accountId, name: body.name, type, privateKey }),
        )
      },
    }),
    route({
      method: 'GET',
      path: '/operator/datalist',
      summary: 'List the caller’s operators',
      group,
      query: Type.Object(paging),
      answer: List(OperatorRow),
      handle: ({ query, account }) => pageOf(wallet.operators(account.accountId).map(operatorRow), query),
    }),
    route({
      method: 'DELETE',
      path: '/operator/data/:operatorID',
      summary: 'Remove an operator with its key',
      group,
      params: Type.Object({ operatorID: Id }),
      handle: async ({ params, account }) => {
        const { operatorId } = ownOperator(wallet, account.accountId, params.operatorID)
        const user = projects
          .list({ accountId: account.accountId })
          .find(({ projectId }) => wallet.boundOperator(projectId)?.operatorId === operatorId)
        if (user) throw new ApiError('OccupiedOperator', `bound to project ${user.name}`)
        await wallet.removeOperator(operatorId)
      },
    }),
  ]
}

/** @throws ApiError OperatorNotFound, NoOperatorPermission */
export function ownOperator(wallet: RouteContext['deps']['wallet'], accountId: string, operatorId: string): Operator {
  const operator = wallet.operator(operatorId)
  if (!operator) throw new ApiError('OperatorNotFound', operatorId)
  if (operator.accountId !== accountId) throw new ApiError('NoOperatorPermission', operatorId)
  return operator
}

/** The text is never repeated in an error. */
function readKey(text: string, type: OperatorKeyType): Uint8Array {
  try {
    return fromHex(text, keyBytes[type])
  } catch {
    throw new ApiError('InvalidPrivateKey', `wanted: ${keyBytes[type]} bytes, hexadecimal, for ${type}`)
  }
}

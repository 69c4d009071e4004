import Type from 'typebox'
import { ApiError } from '../../api-error.ts'
import type { RouteContext } from '../context.ts'
import { type Route, route } from '../route.ts'
import { timesOf } from '../rows.ts'
import { Id, Label, times } from '../schema.ts'

const Role = Type.Enum(['ADMIN', 'DEVELOPER'])

const AccountRow = Type.Object({
  accountID: Id,
  role: Type.String(),
  state: Type.String(),
  username: Type.String(),
  password: Type.String({ description: 'shown here only' }),
  ...times,
})

export function accountRoutes({ deps: { accounts, wallet } }: RouteContext): Route[] {
  return [
    route({
      method: 'PUT',
      path: '/account',
      summary: 'Change the password',
      group: 'Account',
      body: Type.Object({ oldPassword: Type.String({ maxLength: 256 }), password: Type.String({ maxLength: 256 }) }),
      handle: async ({ body, account, request }) => {
        await accounts.changePassword({ ...body, accountId: account.accountId, address: request.ip })
      },
    }),
    route({
      method: 'GET',
      path: '/account/operatoraddr',
      summary: 'Address of an operator',
      group: 'Account',
      query: Type.Object({ accountOperatorName: Type.Optional(Label) }),
      answer: Type.String(),
      handle: ({ query, account }) => {
        const wanted = query.accountOperatorName ?? 'default'
        const operator = wallet.operators(account.accountId).find(({ name }) => name === wanted)
        if (!operator) throw new ApiError('OperatorNotFound', wanted)
        return operator.address
      },
    }),
    route({
      method: 'POST',
      path: '/register/admin',
      summary: 'Register an account with name and password',
      group: 'Account Register',
      auth: 'admin',
      body: Type.Object({ username: Label, role: Type.Optional(Role) }),
      answer: AccountRow,
      handle: async ({ body: { username, role = 'DEVELOPER' } }) => {
        const { account, password } = await accounts.register({ username, role })
        const { accountId, state } = account
        return { accountID: accountId, role, state, username, password, ...timesOf(account) }
      },
    }),
    route({
      method: 'PUT',
      path: '/account/x/:accountID/state',
      summary: 'Enable or disable an account; its tokens and keys stop working at once',
      group: 'Account',
      auth: 'admin',
      params: Type.Object({ accountID: Id }),
      body: Type.Object({ state: Type.Enum(['ENABLED', 'DISABLED']) }),
      handle: ({ params, body }) => {
        accounts.setState(params.accountID, body.state)
        return undefined
      },
    }),
  ]
}

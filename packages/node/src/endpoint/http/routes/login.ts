import Type from 'typebox'
import type { Login } from '../../../account/account.ts'
import type { RouteContext } from '../context.ts'
import { rfc3339 } from '../json.ts'
import { type Route, route } from '../route.ts'
import { Id, Time } from '../schema.ts'

const LoginAnswer = Type.Object({
  accountID: Id,
  accountRole: Type.String(),
  token: Type.String(),
  expireAt: Time,
  issuer: Type.String(),
})

const PasswordLogin = Type.Object({
  username: Type.String({ minLength: 1, maxLength: 128 }),
  password: Type.String({ minLength: 1, maxLength: 256 }),
})
const WalletLogin = Type.Object({
  message: Type.String({ minLength: 1, maxLength: 8192, description: 'EIP-4361 text' }),
  signature: Type.String({ minLength: 1, maxLength: 256, description: '65 bytes, hexadecimal' }),
})

export function loginRoutes({ deps: { accounts } }: RouteContext): Route[] {
  return [
    route({
      method: 'PUT',
      path: '/login',
      summary: 'Login by password',
      group: 'Login',
      auth: 'none',
      body: PasswordLogin,
      answer: LoginAnswer,
      handle: async ({ body, request }) => answer(await accounts.loginByPassword({ ...body, address: request.ip })),
    }),
    route({
      method: 'PUT',
      path: '/login/wallet',
      aliases: ['/login/eth'],
      summary: 'Login by a wallet’s signature (EIP-4361); an unknown wallet gets an account',
      group: 'Login',
      auth: 'none',
      body: WalletLogin,
      answer: LoginAnswer,
      handle: async ({ body, request }) => answer(await accounts.loginByWallet({ ...body, address: request.ip })),
    }),
    route({
      method: 'GET',
      path: '/login/nonce',
      summary: 'A nonce for a login message',
      group: 'Login',
      auth: 'none',
      answer: Type.Object({ nonce: Type.String(), expireAt: Time }),
      handle: () => {
        const { nonce, expiresMs } = accounts.issueNonce()
        return { nonce, expireAt: rfc3339(expiresMs) }
      },
    }),
  ]
}

function answer({ accountId, role, token, expiresMs, issuer }: Login) {
  return { accountID: accountId, accountRole: role, token, expireAt: rfc3339(expiresMs), issuer }
}

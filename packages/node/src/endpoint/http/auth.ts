import type { FastifyRequest } from 'fastify'
import { ApiError } from '../api-error.ts'
import type { AccountIdentity } from '../endpoint.ts'
import type { HttpDeps } from './deps.ts'

/** The caller's token; that of the query wins. Empty when there is none. */
export function tokenOf(request: FastifyRequest): string {
  const { authorization: inQuery } = request.query as { authorization?: string | string[] }
  const given = (Array.isArray(inQuery) ? inQuery[0] : inQuery) || request.headers.authorization || ''
  return (/^bearer /i.test(given) ? given.slice(7) : given).trim()
}

/**
 * The account that calls.
 * @throws ApiError InvalidToken, …; AccessKeyPermissionDenied for the token of a device
 */
export async function accountOf(
  request: FastifyRequest,
  deps: Pick<HttpDeps, 'accounts' | 'door'>,
): Promise<AccountIdentity> {
  const token = tokenOf(request)
  if (token === '') throw new ApiError('InvalidToken', 'token contains an invalid number of segments')
  const identity = deps.accounts.authenticateAccount(token) ?? (await deps.door.authenticate(token))
  if (identity.type === 'account') return identity
  throw new ApiError('AccessKeyPermissionDenied', 'the token is a device’s')
}

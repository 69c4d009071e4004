import Type, { type Static } from 'typebox'
import type { AccessKey, AccessKeyInput } from '../../../account/access-key.ts'
import { beyond, type Group, groups, type Privileges, permissions } from '../../../account/privileges.ts'
import { ApiError } from '../../api-error.ts'
import type { AccountIdentity } from '../../endpoint.ts'
import type { RouteContext } from '../context.ts'
import { rfc3339 } from '../json.ts'
import { type Route, route } from '../route.ts'
import { Id, Ids, Label, Labels, List, paging, passes, QueryTime, Time, toList } from '../schema.ts'

const input = {
  expirationDays: Type.Optional(Type.Integer({ minimum: 0, maximum: 36_500, description: '0: never' })),
  desc: Type.Optional(Type.String({ maxLength: 1024 })),
  privileges: Type.Optional(
    Type.Array(Type.Object({ name: Type.String({ maxLength: 128 }), perm: Type.Enum([...permissions]) }), {
      maxItems: 100,
      description: 'groups not listed get NO_ACCESS; unknown ones are ignored',
    }),
  ),
}

const Meta = Type.Object({ name: Type.String(), desc: Type.String() })
const row = {
  name: Type.String(),
  expiredAt: Type.Optional(Time),
  lastUsed: Type.Optional(Time),
  privileges: Type.Array(Type.Object({ name: Type.String(), desc: Type.String(), perm: Type.String() })),
  desc: Type.Optional(Type.String()),
}
const KeyRow = Type.Object(row)
const owner = { identityType: Type.String(), identityID: Id }

export function accessKeyRoutes({ deps: { accounts } }: RouteContext): Route[] {
  const { keys } = accounts
  const params = Type.Object({ name: Label })
  const group = 'Account Access Key'
  return [
    route({
      method: 'POST',
      path: '/account_access_key',
      summary: 'Create an access key; its text is shown here only',
      group,
      body: Type.Object({ name: Label, ...input }),
      answer: Type.Object({ ...row, ...owner, accessKey: Type.String() }),
      handle: ({ body: { name, desc: description, ...rest }, account }) => {
        const { accountId } = account
        refuseWidening(account, rest.privileges ?? [])
        const { key, token } = keys.create(accountId, name, { ...rest, description })
        const { privileges, expiredAt, desc } = keyRow(key)
        const identity = { name, identityType: 'ACCOUNT', identityID: accountId }
        return { ...identity, accessKey: token, privileges, expiredAt, desc }
      },
    }),
    route({
      method: 'PUT',
      path: '/account_access_key/:name',
      summary: 'Change an access key; what is left out stays',
      group,
      params,
      body: Type.Object(input),
      answer: Type.Object({ ...row, ...owner }),
      handle: ({ params: { name }, body: { desc: description, ...rest }, account }) => {
        const { accountId } = account
        // A key that may do more than the caller is not the caller's to prolong either.
        refuseWidening(account, rest.privileges ?? rowsOf(keys.get(accountId, name).privileges))
        const { privileges, expiredAt, lastUsed, desc } = keyRow(keys.update(accountId, name, { ...rest, description }))
        return { name, identityType: 'ACCOUNT', identityID: accountId, privileges, expiredAt, lastUsed, desc }
      },
    }),
    route({
      method: 'DELETE',
      path: '/account_access_key/:name',
      summary: 'Remove an access key; it stops working at once',
      group,
      params,
      handle: ({ params, account }) => {
        keys.remove(account.accountId, params.name)
        return undefined
      },
    }),
    route({
      method: 'GET',
      path: '/account_access_key/data/:name',
      summary: 'An access key, without its text',
      group,
      params,
      answer: KeyRow,
      handle: ({ params, account }) => keyRow(keys.get(account.accountId, params.name)),
    }),
    route({
      method: 'GET',
      path: '/account_access_key/datalist',
      // The misspelling is that of an older Studio.
      aliases: ['/accont_access_key/datalist'],
      summary: 'List access keys',
      group,
      query: Type.Object({
        name: Labels,
        expiredAtBegin: Type.Optional(QueryTime),
        expiredAtEnd: Type.Optional(QueryTime),
        identityID: Ids,
        identityType: Labels,
        ...paging,
      }),
      answer: List(KeyRow),
      handle: ({ query, account: { accountId } }) => {
        const { name: names, expiredAtBegin, expiredAtEnd, identityID, identityType, size, offset } = query
        if (!passes(identityID, accountId) || !passes(identityType, 'ACCOUNT')) return { data: null, total: 0 }
        const expiresFromMs = expiredAtBegin === undefined ? undefined : Date.parse(expiredAtBegin)
        const expiresToMs = expiredAtEnd === undefined ? undefined : Date.parse(expiredAtEnd)
        const { data, total } = keys.list(accountId, { names, expiresFromMs, expiresToMs, size, offset })
        return toList({ data: data.map(keyRow), total })
      },
    }),
    route({
      method: 'GET',
      path: '/account_access_key/operator_group_metas',
      summary: 'The groups of operations that a key can be given',
      group,
      answer: Type.Array(Meta),
      handle: () => Object.entries(groups).map(([name, desc]) => ({ name, desc })),
    }),
  ]
}

/** An access key gives no more than it has; a login token may give everything. @throws ApiError AccessKeyPermissionDenied */
function refuseWidening(account: AccountIdentity, privileges: NonNullable<AccessKeyInput['privileges']>): void {
  const groups = beyond(privileges, (group, access) => account.permits(group, access))
  if (groups.length > 0)
    throw new ApiError('AccessKeyPermissionDenied', `the calling key may not give: ${groups.join(', ')}`)
}

function keyRow(key: AccessKey): Static<typeof KeyRow> {
  return {
    name: key.name,
    expiredAt: key.expiresMs === undefined ? undefined : rfc3339(key.expiresMs),
    lastUsed: key.lastUsedMs === undefined ? undefined : rfc3339(key.lastUsedMs),
    privileges: privilegeRows(key.privileges),
    desc: key.description || undefined,
  }
}

function privilegeRows(privileges: Privileges) {
  return rowsOf(privileges).map(({ name, perm }) => ({ name, desc: groups[name], perm }))
}

function rowsOf(privileges: Privileges) {
  return (Object.keys(groups) as Group[]).map((name) => ({ name, perm: privileges[name] }))
}

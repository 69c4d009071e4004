import { ApiError } from '../endpoint/api-error.ts'

/** Groups of operations, each with what the API says of it. An access key has a permission for each. */
export const groups = {
  Account: 'View and manage account',
  'Account Access Key': 'View and manage access token',
  'Account Register': 'Account register',
  Applet: 'View and manage applet',
  Configuration: 'View global configuration',
  Cronjob: 'View and manage system cronjob',
  Deploy: 'View and manage wasm vm instances',
  Event: 'Event handle entry',
  Login: 'Account login',
  Monitor: 'View and manage blockchain related monitor',
  Operator: 'View and manage account blockchain operator',
  Project: 'View and manage project',
  'Project Config': 'View and manage project config',
  'Project Operator': 'View and manage project blockchain operator',
  Publisher: 'View and manage publisher (device)',
  Resource: 'View and manage wasm resource',
  Strategy: 'View and manage event routing strategy',
  'Traffic Limit': 'View and manage system traffic',
  'Wasm Log': 'View and manage wasm logs',
} as const

export type Group = keyof typeof groups

export const permissions = ['NO_ACCESS', 'READONLY', 'READ_WRITE'] as const
export type Permission = (typeof permissions)[number]

export type Privileges = Readonly<Record<Group, Permission>>

/** All groups: those given as given, the others closed; unknown names are ignored, as clients send those of other versions. */
export function completePrivileges(given: readonly { readonly name: string; readonly perm: Permission }[]): Privileges {
  const wanted = new Map(given.map(({ name, perm }) => [name, perm]))
  return Object.fromEntries(Object.keys(groups).map((name) => [name, wanted.get(name) ?? 'NO_ACCESS'])) as Privileges
}

export function permits(privileges: Privileges, group: string, access: 'READONLY' | 'READ_WRITE'): boolean {
  const has = Object.hasOwn(privileges, group) ? privileges[group as Group] : 'NO_ACCESS'
  return permissions.indexOf(has) >= permissions.indexOf(access)
}

/** The groups of which privileges give more than their giver may do. */
export function beyond(
  given: readonly { readonly name: string; readonly perm: Permission }[],
  may: (group: string, access: 'READONLY' | 'READ_WRITE') => boolean,
): Group[] {
  const wanted = completePrivileges(given)
  const all = Object.keys(groups) as Group[]
  return all.filter((group) => {
    const access = wanted[group]
    return access !== 'NO_ACCESS' && !may(group, access)
  })
}

/** Privileges as they stand in the database. @throws ApiError InternalServerError when they were tampered with */
export function parsePrivileges(json: string): Privileges {
  const value: unknown = JSON.parse(json)
  if (typeof value !== 'object' || value === null)
    throw new ApiError('InternalServerError', 'the privileges of an access key are damaged')
  return completePrivileges(Object.entries(value).map(([name, perm]) => ({ name, perm: perm as Permission })))
}

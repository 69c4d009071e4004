import Type, { type Static } from 'typebox'
import type { Publisher } from '../../../project/definition.ts'
import type { ProjectEntry } from '../../../project/project.ts'
import type { RouteContext } from '../context.ts'
import { rowOf } from '../ownership.ts'
import { type Route, route } from '../route.ts'
import { PublisherRow, publisherRow } from '../rows.ts'
import { Id, Ids, Label, Labels, List, PublicKey, paging, ShortName, toList } from '../schema.ts'

const PublisherInput = Type.Object({
  name: Label,
  key: Label,
  publicKey: Type.Optional(PublicKey),
})
const filters = {
  publisherIDs: Ids,
  name: Labels,
  key: Labels,
  lname: Type.Optional(Type.String({ maxLength: 128, description: 'name starts with' })),
  rname: Type.Optional(Type.String({ maxLength: 128, description: 'name ends with' })),
}
const params = Type.Object({ p: ShortName })
const byId = Type.Object({ publisherID: Id })
const inProject = Type.Object({ p: ShortName, publisherID: Id })
const group = 'Publisher'
/** Changes of one message, when many devices are removed. */
const removalsPerChange = 1000

export function publisherRoutes({ deps: { projects }, own }: RouteContext): Route[] {
  const row = (entry: ProjectEntry, publisher: Publisher): Static<typeof PublisherRow> =>
    publisherRow(entry, publisher, projects.publisherToken(entry.key, publisher))

  return [
    route({
      method: 'POST',
      path: '/publisher/x/:p',
      summary: 'Register a device',
      group,
      params,
      body: PublisherInput,
      answer: PublisherRow,
      handle: async ({ params, body, account }) => {
        const entry = own.project(account, params.p)
        return row(entry, rowOf(await projects.change(entry.key, { op: 'publisher.create', ...body })))
      },
    }),
    route({
      method: 'POST',
      path: '/publisher/x/:p/upsert',
      summary: 'Register a device, or answer the one with this key',
      group,
      params,
      body: PublisherInput,
      answer: PublisherRow,
      handle: async ({ params, body, account }) => {
        const entry = own.project(account, params.p)
        return row(entry, rowOf(await projects.change(entry.key, { op: 'publisher.upsert', ...body })))
      },
    }),
    route({
      method: 'POST',
      path: '/publisher/x/:p/anonymous',
      summary: 'Make the project public: events without a token count as those of the device `anonymous`',
      group,
      params,
      answer: PublisherRow,
      handle: async ({ params, account }) => {
        const entry = own.project(account, params.p)
        const device = { op: 'publisher.upsert', name: 'anonymous', key: 'anonymous' } as const
        const changes = [{ op: 'project.update', public: true } as const, device]
        const result = await projects.change(entry.key, { op: 'all', changes })
        return row(entry, rowOf(result.values?.[1] ?? result))
      },
    }),
    route({
      method: 'PUT',
      path: '/publisher/x/:p/:publisherID',
      summary: 'Rename a device',
      group,
      params: inProject,
      body: PublisherInput,
      handle: async ({ params, body, account }) => {
        const { entry, publisher } = await own.publisher(account, params.publisherID)
        await projects.change(entry.key, { op: 'publisher.update', publisherId: publisher.publisherId, ...body })
      },
    }),
    route({
      method: 'PUT',
      path: '/publisher/x/:p/:publisherID/rotate',
      summary: 'Give a device a new token; the old one stops working at once',
      group,
      params: inProject,
      answer: PublisherRow,
      handle: async ({ params, account }) => {
        const { entry, publisher } = await own.publisher(account, params.publisherID)
        await projects.change(entry.key, { op: 'publisher.rotate', publisherId: publisher.publisherId })
        return row(entry, (await own.publisher(account, params.publisherID)).publisher)
      },
    }),
    route({
      method: 'GET',
      path: '/publisher/x/:p',
      summary: 'List devices',
      group,
      params,
      query: Type.Object({ ...filters, ...paging }),
      answer: List(PublisherRow),
      handle: async ({ params, query, account }) => {
        const entry = own.project(account, params.p)
        const { size, offset } = query
        const { data, total } = await projects.publishers(entry.key, { ...filterOf(query), size, offset })
        return toList({ data: data.map((publisher) => row(entry, publisher)), total })
      },
    }),
    route({
      method: 'GET',
      path: '/publisher/data/:publisherID',
      summary: 'A device',
      group,
      params: byId,
      answer: PublisherRow,
      handle: async ({ params, account }) => {
        const { entry, publisher } = await own.publisher(account, params.publisherID)
        return row(entry, publisher)
      },
    }),
    route({
      method: 'DELETE',
      path: '/publisher/data/:publisherID',
      summary: 'Remove a device and its token',
      group,
      params: byId,
      handle: async ({ params, account }) => {
        const { entry, publisher } = await own.publisher(account, params.publisherID)
        await projects.change(entry.key, { op: 'publisher.remove', publisherId: publisher.publisherId })
      },
    }),
    route({
      method: 'DELETE',
      path: '/publisher/x/:p',
      summary: 'Remove the devices that the filters name, or all',
      group,
      params,
      query: Type.Object(filters),
      handle: async ({ params, query, account }) => {
        const entry = own.project(account, params.p)
        const { data } = await projects.publishers(entry.key, { ...filterOf(query), size: -1 })
        const removals = data.map(({ publisherId }) => ({ op: 'publisher.remove', publisherId }) as const)
        for (let i = 0; i < removals.length; i += removalsPerChange)
          await projects.change(entry.key, { op: 'all', changes: removals.slice(i, i + removalsPerChange) })
      },
    }),
  ]
}

function filterOf(query: { publisherIDs?: string[]; name?: string[]; key?: string[]; lname?: string; rname?: string }) {
  return {
    publisherIds: query.publisherIDs,
    names: query.name,
    keys: query.key,
    nameStartsWith: query.lname,
    nameEndsWith: query.rname,
  }
}

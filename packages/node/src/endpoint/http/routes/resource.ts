import Type, { type Static } from 'typebox'
import type { Resource } from '../../../account/resource.ts'
import { ApiError } from '../../api-error.ts'
import type { RouteContext } from '../context.ts'
import { sendFile } from '../file-answer.ts'
import { rfc3339 } from '../json.ts'
import { type Route, route } from '../route.ts'
import { resourcePath, timesOf } from '../rows.ts'
import { Id, Ids, Labels, List, paging, QueryTime, Time, times, toList } from '../schema.ts'
import { badPart, formReader, storeModule } from '../upload.ts'

export const ResourceRow = Type.Object({
  resourceID: Id,
  path: Type.String(),
  md5: Type.String(),
  codeHash: Type.String({ description: 'SHA-256 of the file, which receipts name' }),
  uploadedAt: Time,
  expireAt: Time,
  filename: Type.String(),
  comment: Type.String(),
  size: Type.Integer({ description: 'bytes' }),
  ...times,
})

export function resourceRow(resource: Resource): Static<typeof ResourceRow> {
  const { resourceId, md5, codeHash, uploadedMs, expiresMs, fileName, comment, sizeBytes } = resource
  return {
    resourceID: resourceId,
    path: resourcePath(resourceId),
    md5,
    codeHash,
    uploadedAt: rfc3339(uploadedMs),
    expireAt: rfc3339(expiresMs),
    filename: fileName,
    comment,
    size: sizeBytes,
    ...timesOf(resource),
  }
}

const Info = Type.Object({
  wasmName: Type.Optional(Type.String({ maxLength: 255 })),
  wasmMd5: Type.Optional(Type.String({ maxLength: 64 })),
})
const Uploaded = Type.Object({ ...ResourceRow.properties, handlers: Type.Array(Type.String()) })
const Filter = Type.Object({
  resourceID: Ids,
  uploadedBefore: Type.Optional(QueryTime),
  uploadedAfter: Type.Optional(QueryTime),
  expireBefore: Type.Optional(QueryTime),
  expireAfter: Type.Optional(QueryTime),
  filenameLike: Type.Optional(Type.String({ maxLength: 255 })),
  filename: Labels,
  md5: Type.Optional(Type.String({ maxLength: 64 })),
  ...paging,
})
const byId = Type.Object({ resourceID: Id })
const group = 'Resource'

export function resourceRoutes({ deps, limits }: RouteContext): Route[] {
  const { resources } = deps.accounts
  const readForm = formReader(Info, limits)
  return [
    route({
      method: 'POST',
      path: '/resource',
      summary: 'Upload a module without making an applet of it',
      group,
      body: Type.Object({ file: Type.String({ format: 'binary' }), info: Type.Optional(Info) }),
      multipart: true,
      answer: Uploaded,
      handle: async ({ account, request }) => {
        const { file, info } = await readForm(request)
        if (!file) throw badPart('file', 'missing required field')
        const upload = { md5: info.wasmMd5, fileName: info.wasmName }
        const { resource, report } = await storeModule(file, account, upload, deps, limits)
        return { ...resourceRow(resource), handlers: [...report.handlers] }
      },
    }),
    route({
      method: 'GET',
      path: '/resource',
      summary: 'List the caller’s modules',
      group,
      query: Filter,
      answer: List(ResourceRow),
      handle: ({ query, account }) => {
        const { data, total } = resources.list(account.accountId, {
          resourceIds: query.resourceID,
          fileNames: query.filename,
          fileNameLike: query.filenameLike,
          md5: query.md5,
          uploadedAfterMs: ms(query.uploadedAfter),
          uploadedBeforeMs: ms(query.uploadedBefore),
          expiresAfterMs: ms(query.expireAfter),
          expiresBeforeMs: ms(query.expireBefore),
          size: query.size,
          offset: query.offset,
        })
        return toList({ data: data.map(resourceRow), total })
      },
    }),
    route({
      method: 'GET',
      path: '/resource/data/:resourceID',
      summary: 'The bytes of a module',
      group,
      params: byId,
      raw: 'application/wasm',
      handle: async ({ params, account, reply }) => {
        const { codeHash, fileName } = resources.get(account.accountId, params.resourceID)
        // `text/plain` as the reference sends it.
        sendFile(reply, await deps.vfs.get(codeHash), fileName, 'text/plain')
        return undefined
      },
    }),
    route({
      method: 'GET',
      path: '/resource/url/:resourceID',
      summary: 'A URL of a module; there is none for files on the node’s disk',
      group,
      params: byId,
      answer: Type.Object({ fileName: Type.String(), url: Type.String() }),
      handle: ({ params, account }) => {
        resources.get(account.accountId, params.resourceID)
        throw new ApiError('UnsupportedFSOperator', 'the node keeps files on its own disk: use /resource/data')
      },
    }),
    route({
      method: 'DELETE',
      path: '/resource/:resourceID',
      summary: 'Give up a module; applets that run it go on',
      group,
      params: byId,
      handle: ({ params, account }) => {
        resources.release(account.accountId, params.resourceID)
        return undefined
      },
    }),
  ]
}

function ms(time: string | undefined): number | undefined {
  return time === undefined ? undefined : Date.parse(time)
}

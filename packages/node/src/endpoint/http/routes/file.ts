import Type, { type Static } from 'typebox'
import type { UploadedFile } from '../../../account/uploaded-file.ts'
import { contentId } from '../../../util/content-id.ts'
import type { RouteContext } from '../context.ts'
import { fileHash, sendFile } from '../file-answer.ts'
import { rfc3339 } from '../json.ts'
import { type Route, route } from '../route.ts'
import { FileId, List, paging, Time, toList } from '../schema.ts'
import { badPart, formReader, storeFile } from '../upload.ts'

const FileRow = Type.Object({
  cid: Type.String({ description: 'content id: CIDv1, raw, SHA-256' }),
  hash: Type.String({ description: 'SHA-256, hexadecimal' }),
  size: Type.Integer({ description: 'bytes' }),
  filename: Type.String(),
  uploadedAt: Time,
})

function fileRow({ hash, sizeBytes, fileName, uploadedMs }: UploadedFile): Static<typeof FileRow> {
  return { cid: contentId(hash), hash, size: sizeBytes, filename: fileName, uploadedAt: rfc3339(uploadedMs) }
}

const Info = Type.Object({ fileName: Type.Optional(Type.String({ maxLength: 255 })) })
const byId = Type.Object({ id: FileId })
const group = 'Resource'

/** Files that projects deploy beside their modules. */
export function fileRoutes({ deps, limits }: RouteContext): Route[] {
  const { files } = deps.accounts
  const readForm = formReader(Info, limits)
  return [
    route({
      method: 'POST',
      path: '/file',
      summary: 'Upload a file, to deploy it with a project',
      group,
      body: Type.Object({ file: Type.String({ format: 'binary' }), info: Type.Optional(Info) }),
      multipart: true,
      answer: FileRow,
      handle: async ({ account, request }) => {
        const { file, info } = await readForm(request)
        if (!file) throw badPart('file', 'missing required field')
        return fileRow(await storeFile(file, account, info, deps, limits))
      },
    }),
    route({
      method: 'GET',
      path: '/file/datalist',
      summary: 'List the caller’s files, latest first',
      group,
      query: Type.Object(paging),
      answer: List(FileRow),
      handle: ({ query, account }) => {
        const { data, total } = files.list(account.accountId, query)
        return toList({ data: data.map(fileRow), total })
      },
    }),
    route({
      method: 'GET',
      path: '/file/data/:id',
      summary: 'The bytes of a file of the caller',
      group,
      params: byId,
      raw: 'application/octet-stream',
      handle: async ({ params, account, reply }) => {
        const { hash, fileName } = files.get(account.accountId, fileHash(params.id))
        sendFile(reply, await deps.vfs.get(hash), fileName)
        return undefined
      },
    }),
    route({
      method: 'DELETE',
      path: '/file/:id',
      summary: 'Give up a file; projects that deploy it keep it',
      group,
      params: byId,
      handle: ({ params, account }) => {
        files.release(account.accountId, fileHash(params.id))
        return undefined
      },
    }),
  ]
}

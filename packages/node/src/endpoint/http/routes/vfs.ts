import Type, { type Static } from 'typebox'
import { contentId } from '../../../util/content-id.ts'
import type { StoredFile } from '../../../vfs/vfs.ts'
import { ApiError } from '../../api-error.ts'
import type { RouteContext } from '../context.ts'
import { fileHash, sendFile } from '../file-answer.ts'
import { rfc3339 } from '../json.ts'
import { type Route, route } from '../route.ts'
import { FileId, Time } from '../schema.ts'

const StoredRow = Type.Object({
  cid: Type.String({ description: 'content id: CIDv1, raw, SHA-256' }),
  hash: Type.String({ description: 'SHA-256, hexadecimal' }),
  size: Type.Integer({ description: 'bytes' }),
  derivedSize: Type.Integer({
    description: 'bytes of what was made from it, such as the module as the engine runs it',
  }),
  putAt: Time,
})
const Usage = Type.Object({ files: Type.Integer(), bytes: Type.Integer(), limitBytes: Type.Integer() })
const group = 'Resource'

function storedRow({ hash, bytes, derivedBytes, putMs }: StoredFile): Static<typeof StoredRow> {
  return { cid: contentId(hash), hash, size: bytes, derivedSize: derivedBytes, putAt: rfc3339(Math.floor(putMs)) }
}

/** All files of the node, for its administrators. */
export function vfsRoutes({ deps: { vfs, vfsKeeper } }: RouteContext): Route[] {
  return [
    route({
      method: 'GET',
      path: '/vfs/datalist',
      summary: 'List all files of the node in the order of their hashes, with what refers to each',
      group,
      auth: 'admin',
      query: Type.Object({
        after: Type.Optional(FileId),
        size: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, default: 1000 })),
      }),
      answer: Type.Object({
        data: Type.Array(Type.Object({ ...StoredRow.properties, references: Type.Array(Type.String()) })),
        next: Type.Optional(Type.String({ description: 'the `after` of the next page, when there may be one' })),
        usage: Usage,
      }),
      handle: async ({ query: { after, size = 1000 } }) => {
        const references = await vfsKeeper.references()
        const data = []
        for await (const file of vfs.list(after === undefined ? undefined : fileHash(after))) {
          data.push({ ...storedRow(file), references: [...(references.get(file.hash) ?? [])] })
          if (data.length === size) break
        }
        const next = data.length === size ? data.at(-1)?.cid : undefined
        return { data, ...(next && { next }), usage: await vfs.usage() }
      },
    }),
    route({
      method: 'GET',
      path: '/vfs/data/:id',
      summary: 'The bytes of any file of the node',
      group,
      auth: 'admin',
      params: Type.Object({ id: FileId }),
      raw: 'application/octet-stream',
      handle: async ({ params, reply }) => {
        const hash = fileHash(params.id)
        if (!(await vfs.has(hash))) throw new ApiError('FileNotFound', params.id)
        sendFile(reply, await vfs.get(hash), contentId(hash))
        return undefined
      },
    }),
    route({
      method: 'POST',
      path: '/vfs/gc',
      summary: 'Remove the files that nothing refers to',
      group,
      auth: 'admin',
      body: Type.Object({
        dryRun: Type.Optional(Type.Boolean({ description: 'tell what would be removed, and remove nothing' })),
        graceMs: Type.Optional(
          Type.Integer({
            minimum: 0,
            maximum: Number.MAX_SAFE_INTEGER,
            description: 'younger files stay. Default a day',
          }),
        ),
      }),
      answer: Type.Object({
        files: Type.Integer(),
        bytes: Type.Integer({ description: 'with what was derived from them' }),
        young: Type.Integer({ description: 'files without a reference that are too young' }),
        removed: Type.Array(StoredRow, { description: 'the first thousand' }),
        usage: Usage,
      }),
      handle: async ({ body: { dryRun, graceMs } }) => {
        const { removed, ...found } = await vfsKeeper.collect({ dryRun, graceMs })
        return { ...found, removed: removed.map(storedRow) }
      },
    }),
  ]
}

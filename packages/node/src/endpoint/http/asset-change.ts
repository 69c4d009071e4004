import Type, { type Static } from 'typebox'
import type { UploadedFiles } from '../../account/uploaded-file.ts'
import type { Asset, ProjectChange } from '../../project/definition.ts'
import { contentId } from '../../util/content-id.ts'
import type { AccountIdentity } from '../endpoint.ts'
import { fileHash } from './file-answer.ts'
import { FileId } from './schema.ts'

/** The files of a project, as the API takes them: each is one that the caller uploaded. */
export const AssetsChange = Type.Object({
  assets: Type.Array(Type.Object({ path: Type.String({ minLength: 1, maxLength: 512 }), cid: FileId }), {
    maxItems: 1000,
  }),
})

/** @throws ApiError FileNotFound */
export function completeAssets(
  { assets }: Static<typeof AssetsChange>,
  account: AccountIdentity,
  files: UploadedFiles,
  known: readonly Asset[],
): ProjectChange {
  const there = new Map(known.map((asset) => [asset.hash, asset.size]))
  return {
    op: 'assets.put',
    assets: assets.map(({ path, cid }) => {
      const hash = fileHash(cid)
      // What the project has already it may keep, whoever uploaded it.
      return { path, hash, size: there.get(hash) ?? files.get(account.accountId, hash).sizeBytes }
    }),
  }
}

export function assetRow({ path, hash, size }: Asset): { path: string; cid: string; size: number } {
  return { path, cid: contentId(hash), size }
}

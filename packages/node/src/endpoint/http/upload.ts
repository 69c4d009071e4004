import { hash } from 'node:crypto'
import { basename } from 'node:path'
import type { FastifyRequest } from 'fastify'
import type { Static, TSchema } from 'typebox'
import type { Resource } from '../../account/resource.ts'
import type { UploadedFile as OwnedFile } from '../../account/uploaded-file.ts'
import { ApiError } from '../api-error.ts'
import type { AccountIdentity } from '../endpoint.ts'
import type { HttpDeps, ModuleReport } from './deps.ts'
import { decodeUtf8 } from './json.ts'
import type { HttpLimits } from './options.ts'
import { type Check, checkAll, compileCheck } from './validate.ts'

export interface UploadedFile {
  readonly bytes: Uint8Array
  readonly fileName: string
  readonly md5: string
}

/** Bytes of a part that is not the file. */
const infoBytes = 64 * 1024

/** Reads forms of two parts: `file`, and `info` as JSON. */
export function formReader<I extends TSchema>(
  info: I,
  limits: HttpLimits,
): (request: FastifyRequest) => Promise<{ file?: UploadedFile; info: Static<I> }> {
  const check: Check = compileCheck(info, 'body')
  return async (request) => {
    if (!request.isMultipart()) throw badPart('file', 'wanted: multipart/form-data')
    const { file, text } = await readParts(request, limits).catch(asBadForm)
    const [value] = checkAll([{ check, value: parseInfo(text) }])
    return { file, info: value as Static<I> }
  }
}

async function readParts(request: FastifyRequest, limits: HttpLimits): Promise<{ file?: UploadedFile; text: string }> {
  let file: UploadedFile | undefined
  let text = '{}'
  for await (const part of request.parts({
    limits: { fileSize: limits.fileBytes, files: 2, fields: 8, fieldSize: infoBytes, fieldNameSize: 100, parts: 10 },
  })) {
    if (part.type === 'field') {
      if (part.fieldname === 'info') text = String(part.value)
    } else {
      const bytes = await part.toBuffer()
      // Some clients send the JSON as a file, with a content type of its own.
      if (part.fieldname === 'info') text = decodeInfo(bytes)
      else if (part.fieldname === 'file') file = toFile(bytes, part.filename)
    }
  }
  return { file, text }
}

/** The parser's complaints of a broken form have a text only; limits and lost connections have a code. */
function asBadForm(error: unknown): never {
  if (error instanceof Error && !('code' in error)) throw badPart('', error.message)
  throw error
}

/** Examines a module and puts it on the shelf. @throws ApiError UploadFileMd5Unmatched, UploadFileDiskLimit, InvalidModule */
export async function storeModule(
  file: UploadedFile,
  account: AccountIdentity,
  options: { md5?: string; fileName?: string },
  deps: Pick<HttpDeps, 'inspectModule' | 'vfs' | 'accounts'>,
  limits: HttpLimits,
): Promise<{ resource: Resource; report: ModuleReport }> {
  const { bytes, md5 } = file
  if (options.md5 && options.md5.toLowerCase() !== md5)
    throw new ApiError('UploadFileMd5Unmatched', `the file has ${md5}`)
  await checkRoom(bytes, deps, limits)
  const report = await deps.inspectModule(bytes)
  const codeHash = await deps.vfs.put(bytes)
  await deps.vfs.putDerived(codeHash, report.prepared.name, report.prepared.bytes)
  const fileName = options.fileName || file.fileName
  const stored = { codeHash, md5, sizeBytes: bytes.length, fileName }
  return { resource: deps.accounts.resources.put(account.accountId, stored), report }
}

/** Puts a file on the shelf that nobody looks into. @throws ApiError UploadFileDiskLimit */
export async function storeFile(
  { bytes, fileName }: UploadedFile,
  account: AccountIdentity,
  options: { fileName?: string },
  deps: Pick<HttpDeps, 'vfs' | 'accounts'>,
  limits: HttpLimits,
): Promise<OwnedFile> {
  await checkRoom(bytes, deps, limits)
  const hash = await deps.vfs.put(bytes)
  const file = { hash, sizeBytes: bytes.length, fileName: options.fileName || fileName }
  return deps.accounts.files.put(account.accountId, file)
}

async function checkRoom(bytes: Uint8Array, deps: Pick<HttpDeps, 'vfs'>, limits: HttpLimits): Promise<void> {
  if ((await deps.vfs.freeBytes()) - bytes.length < limits.diskReserveBytes) throw new ApiError('UploadFileDiskLimit')
}

function toFile(bytes: Uint8Array, fileName: string | undefined): UploadedFile {
  return { bytes, fileName: basename(fileName ?? '').slice(0, 255) || 'module.wasm', md5: hash('md5', bytes, 'hex') }
}

function decodeInfo(bytes: Uint8Array): string {
  if (bytes.length > infoBytes) throw badPart('info', `longer than ${infoBytes} bytes`)
  try {
    return decodeUtf8(bytes)
  } catch {
    throw badPart('info', 'not UTF-8')
  }
}

function parseInfo(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw badPart('info', error instanceof Error ? error.message : 'not JSON')
  }
}

export function badPart(field: string, msg: string): ApiError {
  return new ApiError('badRequest', '', { fields: [{ field, msg, in: 'body' }] })
}

import type { FastifyReply } from 'fastify'
import { hashFromId } from '../../util/content-id.ts'
import { ApiError } from '../api-error.ts'

/** The file that a path names. @throws ApiError FileNotFound for what names none */
export function fileHash(id: string): string {
  const hash = hashFromId(id)
  if (hash === undefined) throw new ApiError('FileNotFound', id)
  return hash
}

/**
 * Sends bytes that nobody looked at: browsers save them, whatever they are.
 * @param contentType `nosniff` keeps browsers from seeing more in it. @default application/octet-stream
 */
export function sendFile(
  reply: FastifyReply,
  bytes: Uint8Array,
  fileName: string,
  contentType = 'application/octet-stream',
): void {
  const name = encodeURIComponent(fileName)
  reply
    .header('content-type', contentType)
    .header('x-content-type-options', 'nosniff')
    .header('content-disposition', `attachment; filename=${name}; filename*=UTF-8''${name}`)
    .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
}

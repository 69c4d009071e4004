import type { FastifyReply } from 'fastify'
import { hashFromId } from '../../util/content-id.ts'
import { ApiError } from '../api-error.ts'

/** The file that a path names. @throws ApiError FileNotFound for what names none */
export function fileHash(id: string): string {
  const hash = hashFromId(id)
  if (hash === undefined) throw new ApiError('FileNotFound', id)
  return hash
}

/** Sends bytes that nobody looked at: browsers save them, whatever they are. */
export function sendFile(reply: FastifyReply, bytes: Uint8Array, fileName: string): void {
  const name = encodeURIComponent(fileName)
  reply
    .header('content-type', 'application/octet-stream')
    .header('x-content-type-options', 'nosniff')
    .header('content-disposition', `attachment; filename=${name}; filename*=UTF-8''${name}`)
    .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
}

import type { FastifyReply, FastifyRequest } from 'fastify'
import { controlFault } from '../../database/control/control.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { ApiError, type ApiErrorKey } from '../api-error.ts'
import { goJson, jsonType } from './json.ts'

/** Errors of components, and of the HTTP framework, by their codes. */
const keyOfCode: Readonly<Record<string, ApiErrorKey>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'PayloadTooLarge',
  // The sender went away in the middle of its request; nobody reads the answer.
  ECONNRESET: 'BadRequest',
  ERR_STREAM_PREMATURE_CLOSE: 'BadRequest',
  FST_REQ_FILE_TOO_LARGE: 'UploadFileSizeLimit',
  OPERATOR_EXISTS: 'OperatorConflict',
  OPERATOR_NOT_FOUND: 'OperatorNotFound',
  OPERATOR_BOUND: 'OccupiedOperator',
  PROJECT_BOUND: 'ProjectOperatorConflict',
  KEY_INVALID: 'InvalidPrivateKey',
  MODULE_INVALID: 'InvalidModule',
  MODULE_TOO_LARGE: 'UploadFileSizeLimit',
  FILE_NOT_FOUND: 'FetchResourceFailed',
  FILE_CORRUPT: 'FetchResourceFailed',
  FILE_TOO_LARGE: 'UploadFileSizeLimit',
  VFS_FULL: 'UploadFileDiskLimit',
  DISK_FULL: 'DiskFull',
  STORE_CORRUPT: 'DatabaseError',
  ENOSPC: 'DiskFull',
  SCHEMA_INVALID: 'InvalidDatabaseSchema',
  SCHEMA_DESTRUCTIVE: 'DestructiveSchemaChange',
  STORE_NOT_FOUND: 'ProjectNotFound',
  SQL_REFUSED: 'InvalidSql',
  SQL_SYNTAX: 'InvalidSql',
  SQL_FAILED: 'InvalidSql',
  SQL_PARAMETERS: 'InvalidSql',
  SQL_LIMIT: 'InvalidSql',
}

/**
 * What a caller is told of any thrown value. An error that nobody foresaw is logged whole and answered without its text,
 * which may name files or other people's data.
 */
export function toAnswer(thrown: unknown, logger: Logger): ApiError {
  if (thrown instanceof ApiError) return thrown
  const error = controlFault(thrown) ?? thrown
  const { code, statusCode } = error as { code?: string; statusCode?: number }
  const key = code === undefined ? undefined : keyOfCode[code]
  if (key === 'DatabaseError') logger.error('a store is damaged', {}, error)
  if (key) return new ApiError(key, detail(error), { cause: error })
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    const msg = error instanceof Error ? error.message : 'not understood'
    return new ApiError('badRequest', msg, { fields: [{ field: '', msg, in: 'body' }], cause: error })
  }
  logger.error('a request failed for a reason nobody foresaw', {}, error)
  return new ApiError('UnknownError', 'internal error; the log of the node has the reason', { cause: error })
}

/** Lists of problems in full, other errors as their text. */
function detail(error: unknown): string {
  const fault = (error as { fault?: Record<string, unknown> }).fault
  const lists = Object.values(fault ?? {}).filter(Array.isArray) as unknown[][]
  if (lists.length > 0) return lists.flat().map(String).join('; ')
  return error instanceof Error ? error.message : String(error)
}

export function sendError(error: ApiError, source: string, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { retryAfterMs } = error.fault
  if (retryAfterMs !== undefined) reply.header('retry-after', Math.max(1, Math.ceil(retryAfterMs / 1000)))
  if (error.status === 401 && request.headers.authorization === undefined) reply.header('www-authenticate', 'Bearer')
  return reply
    .code(error.status)
    .header('content-type', jsonType)
    .send(goJson(error.toJson(source)))
}

import { W3bstreamError } from '@w3bstream/protocol'

export type VfsFault =
  /** A name that is not 64 lower-case hexadecimal digits. */
  | { code: 'FILE_NAME'; name: string }
  | { code: 'FILE_NOT_FOUND'; hash: string }
  /** The bytes on the disk are not those that were written. */
  | { code: 'FILE_CORRUPT'; hash: string; found: string }
  | { code: 'FILE_TOO_LARGE'; bytes: number; limit: number }
  | { code: 'VFS_FULL'; bytes: number; limit: number }

export class VfsError extends W3bstreamError<VfsFault> {}

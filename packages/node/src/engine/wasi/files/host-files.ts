import { fixedRecords } from './memory-records.ts'
import type { FileRecords } from './records.ts'

/** What the host gives a call to read and write. Nothing else of the machine can be reached through a path. */
export interface HostFiles {
  /** `/assets`, read-only: the files that the project deploys. */
  readonly assets: FileRecords
  /** `/input`, read-only: the message. */
  readonly input: FileRecords
  /** `/data`: the project's directory. Its changes count when the handler succeeds. */
  readonly data: FileRecords
  readonly limits: FileLimits
}

export interface FileLimits {
  /** Bytes of one file of `/data`. */
  readonly fileBytes: number
  /** Files and directories of `/data`, and those of `/tmp`. */
  readonly files: number
  /** Bytes of all files of `/data`. */
  readonly projectFileBytes: number
  /** Bytes of all files of `/tmp`. */
  readonly scratchBytes: number
}

/** Those of a project that sets none. */
export const defaultFileLimits: FileLimits = {
  fileBytes: 4 * 1024 * 1024,
  files: 10_000,
  projectFileBytes: 64 * 1024 * 1024,
  scratchBytes: 16 * 1024 * 1024,
}

/** Empty directories in which nothing can be made: while a module is initialised. */
export const noFiles: HostFiles = {
  assets: fixedRecords([]),
  input: fixedRecords([]),
  data: fixedRecords([]),
  limits: { fileBytes: 0, files: 0, projectFileBytes: 0, scratchBytes: 0 },
}

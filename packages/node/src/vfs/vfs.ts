/**
 * The virtual file system: a content-addressed store for modules and artefacts. A file's name is the SHA-256 of its bytes;
 * what is read is what was written, or the read fails. People see the name as a content id (`util/content-id.ts`).
 *
 * Beside a file lie the bytes that were derived from it, such as the module as one version of the engine runs it: they can be
 * made again, so they may be missing at any time, and they go with their original.
 */
export interface Vfs {
  /**
   * Durable when it resolves. Writing what is there already costs a look, and makes it as young as a new file.
   * @returns SHA-256, hexadecimal
   * @throws VfsError FILE_TOO_LARGE, VFS_FULL
   */
  put(bytes: Uint8Array, signal?: AbortSignal): Promise<string>
  /** @throws VfsError FILE_NOT_FOUND, FILE_CORRUPT */
  get(hash: string): Promise<Uint8Array>
  /** The same, at once, for workers. */
  getSync(hash: string): Uint8Array
  has(hash: string): Promise<boolean>
  /**
   * Removes a file with what was derived from it.
   * @param untouchedSinceMs only when it was last put before this time. @default any time
   * @returns whether something was removed
   */
  remove(hash: string, untouchedSinceMs?: number): Promise<boolean>
  /**
   * Keeps bytes that were computed from a file.
   * @param name what they are, such as `module-7`: letters, digits, `-`, `_`, at most 64
   * @throws VfsError FILE_NOT_FOUND when there is no original, FILE_TOO_LARGE, VFS_FULL, FILE_NAME
   */
  putDerived(hash: string, name: string, bytes: Uint8Array): Promise<void>
  /** What {@link putDerived} kept; nothing when it is missing or damaged. */
  getDerivedSync(hash: string, name: string): Uint8Array | undefined
  /** Files in the order of their names, those behind `after`. */
  list(after?: string): AsyncIterable<StoredFile>
  usage(): Promise<VfsUsage>
  /** Bytes that may still be written: what the volume has, within the limit. */
  freeBytes(): Promise<number>
}

export interface StoredFile {
  /** SHA-256, hexadecimal. */
  readonly hash: string
  readonly bytes: number
  /** Of all that was derived from it. */
  readonly derivedBytes: number
  /** When it was last put, milliseconds. */
  readonly putMs: number
}

export interface VfsUsage {
  readonly files: number
  /** With derived ones. */
  readonly bytes: number
  readonly limitBytes: number
}

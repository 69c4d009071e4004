/**
 * The virtual file system: a content-addressed store for modules and artefacts. A file's name is the SHA-256 of its bytes;
 * what is read is what was written, or the read fails.
 */
export interface Vfs {
  /** Durable when it resolves. Writing what is there already costs a look. @returns SHA-256, hexadecimal */
  put(bytes: Uint8Array, signal?: AbortSignal): Promise<string>
  /** @throws VfsError FILE_NOT_FOUND, FILE_CORRUPT */
  get(hash: string): Promise<Uint8Array>
  /** The same, at once, for workers. */
  getSync(hash: string): Uint8Array
  has(hash: string): Promise<boolean>
  remove(hash: string): Promise<void>
  /** Bytes that may still be written to the volume. */
  freeBytes(): Promise<number>
}

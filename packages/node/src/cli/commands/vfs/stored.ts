/** A file of the node, as its API tells. */
export interface StoredRow {
  readonly cid: string
  readonly hash: string
  readonly size: number
  readonly derivedSize: number
  readonly putAt: string
}

export interface Usage {
  readonly files: number
  readonly bytes: number
  readonly limitBytes: number
}

export function usageText({ files, bytes, limitBytes }: Usage): string {
  return `${files} files, ${sizeText(bytes)} of ${sizeText(limitBytes)}`
}

/** Bytes in the largest unit that leaves at least one: `1.5 MiB`. */
export function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1)
  return `${Number((bytes / 1024 ** power).toFixed(1))} ${units[power]}`
}

const pattern = /^(\d{1,20})-(0x[0-9a-f]{64})\.w3bsnap$/

export function snapshotName(height: bigint, digest: string): string {
  return `${height}-${digest}.w3bsnap`
}

/** What a file's name says; undefined for files that are no snapshots. */
export function parseSnapshotName(name: string): { height: bigint; digest: string } | undefined {
  const [, height, digest] = pattern.exec(name) ?? []
  return height !== undefined && digest !== undefined ? { height: BigInt(height), digest } : undefined
}

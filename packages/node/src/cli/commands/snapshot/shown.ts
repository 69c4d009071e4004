import { toHex } from '@w3bstream/protocol'
import { type SnapshotHeader, snapshotDigest } from '../../../database/snapshot/header.ts'

/** A header as the commands print it. */
export function shownHeader(header: SnapshotHeader) {
  return {
    project: header.project,
    height: String(header.height),
    time: new Date(header.timeMs).toISOString(),
    batchHash: toHex(header.batchHash),
    stateDigest: toHex(header.stateDigest),
    contentBytes: header.contentBytes,
    digest: toHex(snapshotDigest(header)),
  }
}

export function headerText(header: SnapshotHeader): string {
  const { height, time, batchHash, stateDigest, contentBytes, digest } = shownHeader(header)
  return [
    `height  ${height}  ${time}`,
    `batch   ${batchHash}`,
    `state   ${stateDigest}`,
    `digest  ${digest}`,
    `content ${contentBytes} bytes`,
  ].join('\n')
}

import type { Guest } from '../host/guest.ts'
import type { Stream } from './files/file-table.ts'
import { fileFault } from './files/steps.ts'

/** Standard output and error become log lines at debug level; a line ends at a newline or with the call. */
export function writeStream(guest: Guest, { number }: Stream, parts: readonly Uint8Array[]): number {
  if (number === 0) throw fileFault('badf')
  const output = guest.output[number - 1]!
  let written = 0
  for (const part of parts) {
    output.push(part, guest.call.limits.logLineBytes)
    written += part.length
  }
  return written
}

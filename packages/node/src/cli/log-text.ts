import type { CliIo } from './io.ts'
import { printableText } from './output.ts'

/** A log line of an applet, or of the host on its behalf. */
export interface LogLine {
  /** `wasmCode`: the applet; `wasmExportFunc`: the host on its behalf; `handler`: the node, about a call that failed. */
  readonly src: string
  readonly level: string
  readonly msg: string
  /** RFC 3339. */
  readonly logTime: string
  readonly eventID: string
  readonly appletID: string
  /** Grows with time. */
  readonly row: number
}

const colours: Readonly<Record<string, 'red' | 'yellow' | 'gray'>> = {
  panic: 'red',
  fatal: 'red',
  error: 'red',
  warning: 'yellow',
  debug: 'gray',
  trace: 'gray',
}

/** For people. */
export function logText(io: CliIo, { logTime, level, msg }: LogLine): string {
  const shown = level.padEnd(7)
  const colour = colours[level]
  return `${io.style('gray', logTime)} ${colour ? io.style(colour, shown) : shown} ${printableText(msg)}`
}

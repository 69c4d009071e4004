/** Lines in the project's log, kept in order, also when the handler fails later. The node cuts long lines and drops floods. */

// @ts-ignore: decorator
@external('env', 'ws_log')
declare function ws_log(level: i32, message: usize, size: usize): i32

/** Levels of the host, most serious first. */
export enum Level {
  Panic = 0,
  Fatal = 1,
  Error = 2,
  Warning = 3,
  Info = 4,
  Debug = 5,
  Trace = 6,
}

export function write(level: Level, message: string): void {
  const bytes = String.UTF8.encode(message)
  ws_log(level, changetype<usize>(bytes), bytes.byteLength)
}

export function error(message: string): void {
  write(Level.Error, message)
}

export function warning(message: string): void {
  write(Level.Warning, message)
}

export function info(message: string): void {
  write(Level.Info, message)
}

export function debug(message: string): void {
  write(Level.Debug, message)
}

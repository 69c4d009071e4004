/** Events that the project's cron jobs make. */
import { parse } from './event'

export class Firing {
  constructor(
    /** Of the cron job. */
    readonly jobId: string,
    /** When it was due, RFC 3339; the handler may run later. */
    readonly time: string,
  ) {}

  /** {@link time} in milliseconds since 1970. */
  get timeMs(): i64 {
    return Date.fromString(this.time).getTime()
  }
}

/** The firing behind an event, or null when it is none: anybody who may send the event type can send such a payload. */
export function firing(rid: i32): Firing | null {
  const payload = parse(rid)
  const time = payload.get('Timestamp').toText()
  return time.length == 0 ? null : new Firing(payload.get('ID').toText(), time)
}

import type { LogRow } from '../../database/database.ts'
import type { CurrentCall } from './current-call.ts'

/** Log lines of a batch; a store numbers them with 20 bits. Those above are dropped, whatever the limits of single calls. */
const maxBatchLines = 1_000_000
const maxBatchLogBytes = 64 * 1024 * 1024

/** The log lines of a batch. They stay whatever becomes of the handlers that wrote them. */
export class LogLines {
  readonly rows: LogRow[] = []
  readonly #timeMs: number
  #bytes = 0

  constructor(timeMs: number) {
    this.#timeMs = timeMs
  }

  add({ instance, eventId }: CurrentCall, source: string, level: number, message: string): void {
    if (this.rows.length >= maxBatchLines || this.#bytes >= maxBatchLogBytes) return
    this.#bytes += message.length
    const { instanceId, appletId } = instance
    const index = this.rows.length
    this.rows.push({ index, appletId, instanceId, source, level, message, timeMs: this.#timeMs, eventId })
  }
}

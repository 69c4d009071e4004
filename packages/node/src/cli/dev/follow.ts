import { setTimeout } from 'node:timers/promises'
import type { ApiClient } from '../api-client.ts'
import type { LogLine } from '../log-text.ts'
import { type List, projectPath } from '../rows.ts'

/** A row of the list of receipts, as far as it is shown. */
export interface ReceiptRow {
  readonly messageID: string
  readonly height: string
  readonly index: number
  readonly kind: string
  readonly status: string
  readonly eventType: string
  readonly eventID: string
  readonly publisherID: string
  /** Milliseconds. */
  readonly receivedAt: number
  readonly results: readonly {
    readonly appletID: string
    readonly handler: string
    readonly code: number
    readonly error: string
    readonly message: string
    readonly fuel: string
    readonly codeHash: string
  }[]
  readonly effects: { readonly first: number; readonly count: number }
}

export interface Follower {
  log(line: LogLine): Promise<void>
  receipt(row: ReceiptRow): Promise<void>
  /** The stream broke, for this reason; it is opened again. Receipts of the meantime are not shown. */
  interrupted(reason: string): void
}

/** Pause before a stream that broke is opened again, milliseconds. */
const pauseMs = 500

/**
 * Tells what happens in a project from now on, until the signal.
 * @param opened called when the first stream is open
 */
export async function followProject(
  api: ApiClient,
  project: string,
  follower: Follower,
  { signal, opened }: { signal: AbortSignal; opened: () => void },
): Promise<void> {
  const path = projectPath('/wasmlog', project, '/datalist')
  let after = (await api.get<List<LogLine>>(path, { size: 1 })).data?.[0]?.row ?? 0
  while (!signal.aborted) {
    let reason = 'the node ended it'
    try {
      const query = { type: ['log', 'receipt'], after }
      for await (const { event, data } of api.events(
        projectPath('/project', project, '/events'),
        query,
        signal,
        opened,
      )) {
        if (event === 'log') {
          const line = JSON.parse(data) as LogLine
          after = line.row
          await follower.log(line)
        } else if (event === 'receipt') await follower.receipt(JSON.parse(data) as ReceiptRow)
        else if (event === 'end') reason = (JSON.parse(data) as { reason: string }).reason
      }
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error)
    }
    if (signal.aborted) return
    follower.interrupted(reason)
    await setTimeout(pauseMs, undefined, { signal }).catch(() => {})
  }
}

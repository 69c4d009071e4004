import type { MaybePromise, ProjectTransaction } from '../database/database.ts'
import type { HostFiles } from '../engine/wasi/files/host-files.ts'
import { fixedRecords } from '../engine/wasi/files/memory-records.ts'
import type { FileRecords, RecordSpace } from '../engine/wasi/files/records.ts'
import type { ProjectSettings } from '../project/definition.ts'
import type { WriteSet } from './write-set.ts'

/** Name spaces of a project's keyed state that hold its directory. */
const fileSpaces: Readonly<Record<RecordSpace, string>> = {
  entry: 'files:entry',
  content: 'files:content',
  total: 'files:total',
}

/** The message that a handler runs for, as `/input/event.json` tells it. */
export interface InputEvent {
  readonly eventType: string
  readonly eventId: string
  /** Empty when no device sent the message. */
  readonly publisherKey: string
  readonly signed: boolean
  readonly topic: string
  /** The sender's clock, milliseconds. */
  readonly timestampMs: number
  /** When the node received it, milliseconds. */
  readonly receivedMs: number
  /** The batch's clock, milliseconds. */
  readonly batchMs: number
}

/** Everything below `/assets`, `/input` and `/data` for one call. */
export function projectFiles(
  call: { assets: FileRecords; event: InputEvent; payload: Uint8Array; limits: ProjectSettings['limits'] },
  state: { writes: WriteSet; transaction: ProjectTransaction; hold(bytes: number): void },
): HostFiles {
  const { assets, event, payload, limits } = call
  return { assets, input: inputRecords(event, payload), data: new DirectoryRecords(state), limits }
}

function inputRecords(event: InputEvent, payload: Uint8Array): FileRecords {
  const json = Buffer.from(JSON.stringify(event))
  return fixedRecords([
    { path: 'event.json', size: json.length, read: () => json },
    { path: 'payload', size: payload.length, read: () => payload },
  ])
}

/** The project's directory, kept where the applets' values are: what becomes of those becomes of it. */
class DirectoryRecords implements FileRecords {
  readonly #writes: WriteSet
  readonly #transaction: ProjectTransaction
  readonly hold: (bytes: number) => void

  constructor(state: { writes: WriteSet; transaction: ProjectTransaction; hold(bytes: number): void }) {
    this.#writes = state.writes
    this.#transaction = state.transaction
    this.hold = state.hold
  }

  get(space: RecordSpace, key: string): MaybePromise<Uint8Array | undefined> {
    return this.#writes.get(this.#transaction, fileSpaces[space], key)
  }

  entries(prefix: string, limit: number): MaybePromise<readonly { key: string; value: Uint8Array }[]> {
    return this.#writes.list(this.#transaction, fileSpaces.entry, { prefix, limit })
  }

  put(space: RecordSpace, key: string, value: Uint8Array | null): void {
    this.#writes.put(fileSpaces[space], key, value)
  }
}

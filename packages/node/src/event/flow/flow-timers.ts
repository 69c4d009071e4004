import { randomBytes } from 'node:crypto'
import { type Message, ownMessage, type ProjectKey } from '@w3bstream/protocol'
import type { ProjectReader } from '../../database/database.ts'
import type { ExecutedBatch } from '../executor/executor.ts'
import type { Timer, TimerSource, Timers } from '../timers/timers.ts'
import { flowTimerType } from './limits.ts'
import { flowWakeMs } from './meta.ts'

export interface FlowTimersDeps {
  readonly timers: Pick<Timers, 'set' | 'clear'>
  /** Puts a message through the project's log; resolves when it is on disk. @throws ApiError MailboxFull, … */
  submit(project: ProjectKey, message: Message): Promise<unknown>
  readonly now: () => number
}

/**
 * Wakes flows whose windows are due. What is closed the batch decides by its own clock: a timer that comes early, late or
 * twice changes nothing but when that is.
 */
export class FlowTimers implements TimerSource {
  readonly kind = 'flow'
  readonly #deps: FlowTimersDeps

  constructor(deps: FlowTimersDeps) {
    this.#deps = deps
  }

  /** Follows a commit. */
  follow(project: ProjectKey, { flowWakeMs: atMs }: Pick<ExecutedBatch, 'flowWakeMs'>): void {
    const timer = { project, kind: this.kind, id: '' }
    if (typeof atMs === 'number') this.#deps.timers.set({ ...timer, atMs })
    else if (atMs === null) this.#deps.timers.clear(timer)
  }

  async due({ project }: Timer): Promise<void> {
    const fields = { nonce: randomBytes(16), payload: new Uint8Array(0), eventType: flowTimerType }
    await this.#deps.submit(project, ownMessage('timer', this.#deps.now(), fields))
  }

  async pending(_project: ProjectKey, reader: ProjectReader): Promise<Pick<Timer, 'id' | 'atMs'>[]> {
    const atMs = await flowWakeMs(reader)
    return typeof atMs === 'number' ? [{ id: '', atMs }] : []
  }
}

import type { ProjectKey } from '@w3bstream/protocol'
import type { MaybePromise, ProjectReader } from '../../database/database.ts'

/**
 * Timers of all projects: one queue of due times, kept in the node's control file, so that idle projects stay closed. A
 * timer only wakes its source at a time; what it then does is a message through the project's log, which makes it durable.
 * After a crash a timer may come earlier than it was set, never later; sources find in the project's committed state what
 * is really due.
 */
export interface Timers {
  /** Sets a timer, or moves the one of this name. */
  set(timer: Timer): void
  clear(timer: Omit<Timer, 'atMs'>): void
  /** Adds the source of one kind of timers; before the start. */
  add(source: TimerSource): void
}

export interface Timer {
  readonly project: ProjectKey
  /** Who asked for it: `cron`, `flow`, … */
  readonly kind: string
  /** Names it among those of its kind and project. */
  readonly id: string
  /** By the node's clock, milliseconds since 1970. */
  readonly atMs: number
}

export interface TimerSource {
  readonly kind: string
  /**
   * The time has come. The timer is gone unless it is set again meanwhile; when the promise rejects, it comes again after a
   * rest: a full mailbox delays what is due, and loses nothing.
   */
  due(timer: Timer): Promise<void>
  /**
   * All timers that the committed state of a project asks for. Asked at the start of the node about projects that worked in
   * its last run; those of others are found in the control file.
   */
  pending(project: ProjectKey, reader: ProjectReader): MaybePromise<readonly Pick<Timer, 'id' | 'atMs'>[]>
}

/** Told when the thread is busy with a guest, so that a watchdog can tell a loop from a wait. */
export interface Progress {
  /** @param ranMs how long it ran before it waited, milliseconds. @default 0 */
  enter(messageIndex: number, ordinal: number, ranMs?: number): void
  leave(): void
  /** {@link leave} for a wait. @returns how long the guest has run, milliseconds */
  pause(): number
}

import { SeenClock } from './seen-clock.ts'
import type { Running } from './watchdog.ts'

/** How long others are kept waiting before a project has to go, milliseconds. */
export interface Patience {
  /** By one run of a guest. */
  readonly patienceMs: number
  /** By one batch. */
  readonly turnPatienceMs: number
}

/** What one thread runs, as looks at it show: which guest, in whose batch, and for how long. */
export class GuestWatch {
  readonly #guest: SeenClock
  readonly #turn: SeenClock

  /** @param everyMs distance between two looks */
  constructor(everyMs: number) {
    this.#guest = new SeenClock(everyMs)
    this.#turn = new SeenClock(everyMs)
  }

  /** @param running what runs at this moment; nothing between two guests of a batch */
  look(running: Running | undefined): void {
    if (running) {
      this.#guest.look(guestName(running))
      this.#turn.look(`${running.slot}`)
    } else this.#guest.reset()
  }

  /** Whether the guest that runs has had the thread for too long, if others want it. */
  isTooLong(running: Running, { patienceMs, turnPatienceMs }: Patience): boolean {
    return (
      this.#guest.seenForMs(guestName(running)) > patienceMs || this.#turn.seenForMs(`${running.slot}`) > turnPatienceMs
    )
  }

  /** A batch has ended, or the thread has. */
  reset(): void {
    this.#guest.reset()
    this.#turn.reset()
  }
}

function guestName({ slot, messageIndex, ordinal }: Running): string {
  return `${slot}/${messageIndex}/${ordinal}`
}

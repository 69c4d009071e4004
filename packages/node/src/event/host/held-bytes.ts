import { HostFault } from '../../engine/engine.ts'

/**
 * Bytes that the handlers of one batch hold in memory until its commit: writes, effects, answers. 64 KiB for each message of
 * the largest batch; without a bound, a guest that writes as fast as it can would take the whole process down.
 */
const maxHeldBytes = 64 * 1024 * 1024
/** What the holding of anything costs beside its bytes. */
const heldOverhead = 128

/** Counts what is kept until the commit. The same on every member, because it follows from the batch. */
export class HeldBytes {
  #bytes = 0
  #before = 0

  /** A call begins; {@link drop} goes back to here. */
  begin(): void {
    this.#before = this.#bytes
  }

  /** @throws HostFault Limit BATCH_LIMIT */
  hold(bytes: number): void {
    const held = this.#bytes + bytes + heldOverhead
    if (held > maxHeldBytes)
      throw new HostFault('Limit', `the batch would hold more than ${maxHeldBytes} bytes`, { limit: 'BATCH_LIMIT' })
    this.#bytes = held
  }

  /** Counts what was done already: it is not refused any more; the next one is. */
  add(bytes: number): void {
    this.#bytes += bytes
  }

  /** Counts what stays whatever becomes of the call. */
  addLasting(bytes: number): void {
    this.#bytes += bytes
    this.#before += bytes
  }

  /** What the call held is given back. */
  drop(): void {
    this.#bytes = this.#before
  }
}

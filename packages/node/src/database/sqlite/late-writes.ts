import type { OutboxChange } from './outbox-writer.ts'
import { updateOutbox } from './outbox-writer.ts'
import type { Statements } from './statements.ts'

export type EffectUpdate = { id: Uint8Array } & OutboxChange
export interface CertificateEntry {
  height: bigint
  certificate: Uint8Array
}

/**
 * Local knowledge that waits for a commit to ride on: changes of effects and certificates. It is let go only after the
 * commit that carried it, so a transaction that fails loses none of it.
 */
export class LateWrites {
  #effects: EffectUpdate[] = []
  #certificates: CertificateEntry[] = []

  get size(): number {
    return this.#effects.length + this.#certificates.length
  }

  addEffects(changes: readonly EffectUpdate[]): void {
    this.#effects.push(...changes)
  }

  addCertificates(certificates: readonly CertificateEntry[]): void {
    this.#certificates.push(...certificates)
  }

  /** Writes everything within the open transaction; {@link clear} follows when that is committed. */
  write(statements: Statements): void {
    if (this.size === 0) return
    const nowMs = Date.now()
    for (const { id, ...change } of this.#effects) updateOutbox(statements, id, change, nowMs)
    for (const { height, certificate } of this.#certificates)
      statements.run(
        'INSERT INTO certificate (height, certificate) VALUES (?, ?) ON CONFLICT (height) DO UPDATE SET certificate = excluded.certificate',
        height,
        certificate,
      )
  }

  clear(): void {
    this.#effects = []
    this.#certificates = []
  }
}

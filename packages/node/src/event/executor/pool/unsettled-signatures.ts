import type { ProjectKey } from '@w3bstream/protocol'
import type { SignedTransaction } from '../../../chain/chain.ts'
import type { ExecutorServices, SignRequest } from '../executor.ts'

export interface Unsettled {
  readonly project: ProjectKey
  readonly height: bigint
  readonly signed: SignedTransaction
}

/**
 * Transactions that were signed for batches that are not on disk yet. When such a batch fails or its thread ends, their
 * nonces go back to the account, or the transactions after them would never be mined.
 */
export class UnsettledSignatures {
  readonly #byHash = new Map<string, Unsettled>()

  add({ project, height }: SignRequest, signed: SignedTransaction): void {
    this.#byHash.set(signed.hash, { project, height, signed })
  }

  /** The batch is on disk: what was signed for it will be sent. */
  committed(project: ProjectKey, height: bigint): void {
    for (const [hash, entry] of this.#byHash)
      if (entry.project === project && entry.height <= height) this.#byHash.delete(hash)
  }

  /** Gives back one, once. */
  release(services: ExecutorServices, transaction: Parameters<ExecutorServices['release']>[0]): void {
    for (const [hash, { signed }] of this.#byHash) {
      const { chainId, from, nonce } = signed
      if (chainId !== transaction.chainId || from !== transaction.from || nonce !== transaction.nonce) continue
      this.#byHash.delete(hash)
      services.release(transaction)
      return
    }
  }

  /** Takes all of a project out, to go with it to another thread. */
  take(project: ProjectKey): Unsettled[] {
    const own = [...this.#byHash.values()].filter((entry) => entry.project === project)
    for (const { signed } of own) this.#byHash.delete(signed.hash)
    return own
  }

  restore(entry: Unsettled): void {
    this.#byHash.set(entry.signed.hash, entry)
  }

  /** Gives back all of a project. */
  releaseAll(services: ExecutorServices, project: ProjectKey): void {
    for (const [hash, entry] of this.#byHash) {
      if (entry.project !== project) continue
      this.#byHash.delete(hash)
      services.release(entry.signed)
    }
  }
}

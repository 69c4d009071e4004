import type { SignedTransaction } from '../../chain/chain.ts'
import type { ExecutorServices, SignRequest } from './executor.ts'

/** Services that count how long one project's guests waited for them: time in which their thread ran something else. */
export class WaitMeter implements ExecutorServices {
  readonly #services: ExecutorServices
  #waitedMs = 0

  constructor(services: ExecutorServices) {
    this.#services = services
  }

  /** Of all calls so far, milliseconds. A project's guests wait one after the other. */
  get waitedMs(): number {
    return this.#waitedMs
  }

  sign(request: SignRequest): Promise<SignedTransaction> {
    return this.#timed(this.#services.sign(request))
  }

  call(request: Parameters<ExecutorServices['call']>[0]): Promise<Uint8Array> {
    return this.#timed(this.#services.call(request))
  }

  release(transaction: Parameters<ExecutorServices['release']>[0]): void {
    this.#services.release(transaction)
  }

  async #timed<T>(answer: Promise<T>): Promise<T> {
    const began = performance.now()
    try {
      return await answer
    } finally {
      this.#waitedMs += performance.now() - began
    }
  }
}

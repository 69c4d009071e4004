import type { Service } from '../endpoint/endpoint.ts'
import type { Logger } from '../telemetry/logger.ts'

/** Starts services in the written order and stops them in the reverse; a failed start stops what had started. */
export class Services {
  readonly #services: readonly Service[]
  readonly #logger: Logger
  #started: Service[] = []

  constructor(services: readonly Service[], logger: Logger) {
    this.#services = services
    this.#logger = logger
  }

  async start(): Promise<void> {
    for (const service of this.#services) {
      try {
        await service.start()
      } catch (error) {
        await this.stop()
        throw error
      }
      this.#started.push(service)
    }
  }

  /**
   * Stops everything that was started, whatever fails on the way.
   * @throws AggregateError with all failures
   */
  async stop(signal?: AbortSignal): Promise<void> {
    const failures: unknown[] = []
    for (const service of this.#started.splice(0).reverse()) {
      try {
        await service.stop(signal)
      } catch (error) {
        failures.push(error)
        this.#logger.error('a service did not stop cleanly', { service: service.name }, error)
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'some services did not stop cleanly')
  }
}

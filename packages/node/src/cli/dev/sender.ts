import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { ApiClient } from '../api-client.ts'
import { fetchDefinition } from '../deploy/fetch-current.ts'
import { CliError } from '../errors.ts'
import { publishHttp } from '../publish/http.ts'
import { findDevice, type PublisherRow, projectPath } from '../rows.ts'
import { type ExampleEvent, eventsOf, eventsOfLine } from './example-events.ts'
import type { Screen } from './screen.ts'

/** Lines and files that wait to be sent; what comes beyond is refused. */
const maxWaiting = 1000

/** Largest file of events that is read, bytes. */
const fileLimitBytes = 64 * 1024 * 1024

/** Sends events as devices of the project do, one after the other. */
export class Sender {
  readonly #api: ApiClient
  readonly #project: string
  readonly #screen: Screen
  readonly #tokens = new Map<string, string>()
  #channel = ''
  #waiting = 0
  #last: Promise<void> = Promise.resolve()
  /** Who sends what names no device. */
  device = ''
  /** Event types that the project has routes for. */
  eventTypes: ReadonlySet<string> = new Set()

  constructor(api: ApiClient, project: string, screen: Screen) {
    this.#api = api
    this.#project = project
    this.#screen = screen
  }

  file(path: string): Promise<void> {
    return this.#queue(basename(path), async () => {
      const bytes = await readFile(path).catch((error: Error) => {
        throw new CliError({ code: 'CLI_FILE', file: path, detail: error.message }, { cause: error })
      })
      if (bytes.length > fileLimitBytes)
        throw new CliError({ code: 'CLI_FILE', file: path, detail: `larger than ${fileLimitBytes} bytes` })
      return eventsOf(path, bytes, this.eventTypes)
    })
  }

  line(text: string): Promise<void> {
    return this.#queue('input', async () => eventsOfLine(text))
  }

  /** Resolves when the events were answered, or what is wrong was shown. */
  #queue(from: string, events: () => Promise<readonly ExampleEvent[]>): Promise<void> {
    if (this.#waiting >= maxWaiting) {
      this.#screen.failed(new CliError({ code: 'CLI_USAGE', detail: `more than ${maxWaiting} events wait: left out` }))
      return Promise.resolve()
    }
    this.#waiting++
    this.#last = this.#last.then(async () => {
      try {
        for (const event of await events()) await this.#send(from, event)
      } catch (error) {
        this.#screen.failed(error)
      } finally {
        this.#waiting--
      }
    })
    return this.#last
  }

  async #send(from: string, { event, device = this.device, payload }: ExampleEvent): Promise<void> {
    const token = await this.#tokenOf(device)
    this.#channel ||= (await fetchDefinition(this.#api, this.#project)).project.channel
    const began = performance.now()
    const answer = await publishHttp({
      url: this.#api.url,
      channel: this.#channel,
      token,
      publisherKey: device,
      eventType: event,
      eventId: `${randomUUID()}_w3b`,
      payload,
    })
    this.#screen.sent(from, { event, device }, answer, performance.now() - began)
  }

  /** A device that the project does not have yet is added: events of files shall not need a preparation. */
  async #tokenOf(key: string): Promise<string> {
    const known = this.#tokens.get(key)
    if (known !== undefined) return known
    const row = await findDevice(this.#api, this.#project, key).catch(async (error: unknown) => {
      if (!(error instanceof CliError) || error.fault.code !== 'CLI_NOT_FOUND') throw error
      return this.#api.post<PublisherRow>(projectPath('/publisher', this.#project), { name: key, key })
    })
    this.#tokens.set(key, row.token ?? '')
    return row.token ?? ''
  }
}

import type { HandlerResult } from '@w3bstream/protocol'
import type { HandlerErrorCode, HandlerOutcome, MaybePromise } from '../../engine/engine.ts'
import { readJson } from './json.ts'
import { flowLimits } from './limits.ts'
import type { ElementOperator } from './plan.ts'

/** An event on its way, or one of those that FLATMAP made of it. */
export interface Element {
  readonly payload: Uint8Array
  /** Key of its group; empty before GROUP. */
  readonly group: string
}

/** One run of an export of the flow's applet. */
export interface OperatorCall {
  readonly handler: string
  readonly payload: Uint8Array
  /** See `engine.ts`, HandlerCall. */
  readonly accumulator?: Uint8Array | null
  /** Number among the runs for one message. */
  readonly ordinal: number
  /** What it may take. */
  readonly fuel: number
}

/** Where the runs of one message go, and what is told about them. */
export interface OperatorHost {
  run(call: OperatorCall): MaybePromise<HandlerOutcome>
  /** A log line about the flow. */
  note(level: number, message: string): void
  /** What results of this applet begin with. */
  readonly result: HandlerResult
  /** What all runs of one unit may take together. */
  readonly fuel: number
}

/** A run that did not return: what belongs to it is undone. */
export class OperatorFailed extends Error {
  readonly code: HandlerErrorCode
  constructor(code: HandlerErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** Key of the group of elements whose GROUP refused. */
const errorGroup = 'error'
const level = { error: 2, warning: 3 } as const
/** Below this no run is begun. */
const leastFuel = 1000

/** The operators of a flow, as they are run for one message. */
export class Operators {
  readonly #host: OperatorHost
  readonly #results = new Map<string, HandlerResult>()
  #ordinal = 0
  #left: number
  #used = 0
  #lines = 0
  #failed = false

  constructor(host: OperatorHost) {
    this.#host = host
    this.#left = host.fuel
  }

  /** One for each function that was run, in the order of their first runs. */
  get results(): readonly HandlerResult[] {
    return [...this.#results.values()]
  }

  get failed(): boolean {
    return this.#failed
  }

  /** What all runs have taken. */
  get fuelUsed(): number {
    return this.#used
  }

  /** Number of the next run. */
  get ordinal(): number {
    return this.#ordinal
  }

  /** A unit begins, which has the fuel of one handler call. */
  beginUnit(): void {
    this.#left = this.#host.fuel
  }

  note(message: string, of: keyof typeof level = 'error'): void {
    if (this.#lines++ < flowLimits.logLines) this.#host.note(level[of], message)
  }

  /** What operators make of an element: none, one or many. @throws OperatorFailed */
  async through(operators: readonly ElementOperator[], element: Element): Promise<readonly Element[]> {
    let elements: readonly Element[] = [element]
    for (const operator of operators) {
      const next = await this.#applyToAll(operator, elements)
      if (typeof next === 'string') {
        this.note(`${operator.handler}: ${next}, all are dropped`)
        return []
      }
      elements = next
    }
    return elements
  }

  /** @returns what the operator makes of the elements, or why they are too much */
  async #applyToAll(operator: ElementOperator, elements: readonly Element[]): Promise<readonly Element[] | string> {
    const { flatMapElements, wayBytes } = flowLimits
    const next: Element[] = []
    let bytes = 0
    for (const one of elements)
      for (const made of await this.#apply(operator, one)) {
        next.push(made)
        bytes += made.payload.length
        if (next.length > flatMapElements) return `more than ${flatMapElements} elements`
        if (bytes > wayBytes) return `elements of more than ${wayBytes} bytes`
      }
    return next
  }

  /** @param accumulator null for the first element. @returns undefined when the element is dropped. @throws OperatorFailed */
  async reduce(handler: string, accumulator: Uint8Array | null, payload: Uint8Array): Promise<Uint8Array | undefined> {
    const data = await this.#call(handler, payload, accumulator)
    return data && this.#fits(handler, data) ? data : undefined
  }

  async #apply({ type, handler }: ElementOperator, element: Element): Promise<readonly Element[]> {
    const data = await this.#call(handler, element.payload)
    if (type === 'GROUP') return [{ ...element, group: this.#groupOf(handler, data) }]
    if (data === undefined) return []
    if (type === 'FILTER') return this.#passes(handler, data) ? [element] : []
    if (type === 'MAP') return [{ ...element, payload: data }]
    const parts = splitParts(data)
    if (typeof parts === 'string') {
      this.note(`${handler}: ${parts}; the element is dropped`)
      return []
    }
    return parts.map((payload) => ({ ...element, payload }))
  }

  #passes(handler: string, data: Uint8Array): boolean {
    const answer = data.length <= 8 ? Buffer.from(data).toString('latin1').toLowerCase() : ''
    if (answer !== 'true' && answer !== 'false')
      this.note(`${handler} answered neither true nor false; the element is dropped`, 'warning')
    return answer === 'true'
  }

  #groupOf(handler: string, data: Uint8Array | undefined): string {
    if (data === undefined) return errorGroup
    if (data.length > flowLimits.groupKeyBytes) {
      this.note(`${handler}: a key of ${data.length} bytes, at most ${flowLimits.groupKeyBytes}`)
      return errorGroup
    }
    const key = decodeUtf8(data)
    if (key === undefined) this.note(`${handler}: a key that is not UTF-8`)
    return key ?? errorGroup
  }

  #fits(handler: string, { length }: Uint8Array): boolean {
    if (length <= flowLimits.elementBytes) return true
    this.note(`${handler}: ${length} bytes accumulated, at most ${flowLimits.elementBytes}; the element is dropped`)
    return false
  }

  /** The data of the resource that the function returned; undefined, after a log line, when it returned none. */
  async #call(handler: string, payload: Uint8Array, accumulator?: Uint8Array | null): Promise<Uint8Array | undefined> {
    if (this.#left < leastFuel) return this.#fail(handler, 'FUEL_LIMIT', 'the operators before it used up the fuel', 0n)
    const outcome = await this.#host.run({ handler, payload, accumulator, ordinal: this.#ordinal++, fuel: this.#left })
    this.#left -= Number(outcome.fuel)
    this.#used += Number(outcome.fuel)
    if (outcome.type === 'failed') return this.#fail(handler, outcome.error, outcome.message, outcome.fuel)
    this.#count(handler, { fuel: outcome.fuel })
    if (outcome.code >= 0 && outcome.data) return outcome.data
    const why = outcome.code < 0 ? `returned ${outcome.code}` : `returned ${outcome.code}, which is no resource`
    this.note(`${handler} ${why}; the element is dropped`)
    return undefined
  }

  /** The host keeps no more for this batch: what belongs to the unit is undone. */
  refused(limit: string, message: string): void {
    this.#failed = true
    this.#count('', { fuel: 0n, code: -1, error: limit, message })
    this.note(`${message}; what belongs to it is undone`)
  }

  #fail(handler: string, error: HandlerErrorCode, message: string, fuel: bigint): never {
    this.#failed = true
    const first = this.#results.get(handler)?.error
    this.#count(handler, first ? { fuel } : { fuel, code: -1, error, message: message.slice(0, 1024) })
    this.note(`${handler} failed: ${error} ${message}`)
    throw new OperatorFailed(error, message)
  }

  #count(handler: string, change: Pick<HandlerResult, 'fuel'> & Partial<HandlerResult>): void {
    const before = this.#results.get(handler) ?? { ...this.#host.result, handler, code: 0 }
    this.#results.set(handler, { ...before, ...change, fuel: before.fuel + change.fuel })
  }
}

/**
 * What FLATMAP answered: a JSON array, of which texts are taken as they are and all else as JSON; or a zero byte, then each
 * element as four bytes of length, little-endian, and its bytes.
 * @returns the elements, or what is wrong
 */
function splitParts(data: Uint8Array): Uint8Array[] | string {
  if (data[0] === 0) return splitBytes(data)
  const text = decodeUtf8(data)
  if (text === undefined) return 'the answer is not UTF-8'
  const read = readJson(text)
  if ('problem' in read) return `the answer is ${read.problem}`
  const { value } = read
  if (!Array.isArray(value)) return 'the answer is no JSON array'
  if (value.length > flowLimits.flatMapElements)
    return `${value.length} elements, at most ${flowLimits.flatMapElements}`
  return value.map((item) => new TextEncoder().encode(typeof item === 'string' ? item : JSON.stringify(item)))
}

function decodeUtf8(data: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data)
  } catch {
    return undefined
  }
}

function splitBytes(data: Uint8Array): Uint8Array[] | string {
  const view = new DataView(data.buffer, data.byteOffset, data.length)
  const parts: Uint8Array[] = []
  let at = 1
  while (at < data.length) {
    if (parts.length === flowLimits.flatMapElements) return `more than ${flowLimits.flatMapElements} elements`
    const end = at + 4 <= data.length ? at + 4 + view.getUint32(at, true) : Number.POSITIVE_INFINITY
    if (end > data.length) return `the element at byte ${at} is cut off`
    parts.push(data.slice(at + 4, end))
    at = end
  }
  return parts
}

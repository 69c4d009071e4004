import { type BlockingFamily, HostFault } from '../engine.ts'
import type { FunctionType, ValueType } from '../module/layout.ts'
import type { CallEnd } from './call-end.ts'
import type { Guest } from './guest.ts'
import { status } from './status.ts'

type Answer = number | bigint | undefined
type Implementation = (...parameters: never[]) => Answer | Promise<Answer>

/** A function that modules may import, in one of its signatures. */
export interface HostFunction {
  readonly module: string
  readonly name: string
  readonly type: FunctionType
  /** Units taken at each call, beside those for the bytes that cross. */
  readonly fuel: number
  /** Calls the guest's `alloc`, which must therefore be exported. */
  readonly handsOver: boolean
  /** The part of the host that may answer with a promise. */
  readonly blocks?: BlockingFamily
  /** Answers with failure while the module is being initialised, when there is no event yet. */
  readonly needsCall: boolean
  /** What the guest sees when the host refuses. */
  readonly refusal: (fault: HostFault) => number
  readonly bind: (guest: Guest) => Implementation
}

const letters: Readonly<Record<string, ValueType>> = { i: 'i32', I: 'i64', f: 'f32', F: 'f64' }

/** @param signature parameters and results as letters: `iiI:i` is `(i32, i32, i64) -> i32`, an `F` is f64 */
function functionType(signature: string): FunctionType {
  const [params = '', results = ''] = signature.split(':')
  const decode = (text: string) => [...text].map((letter) => letters[letter]!)
  return { params: decode(params), results: decode(results) }
}

export function hostFunction(
  name: string,
  signature: string,
  bind: HostFunction['bind'],
  options: Partial<Pick<HostFunction, 'module' | 'fuel' | 'handsOver' | 'blocks' | 'refusal' | 'needsCall'>> = {},
): HostFunction {
  return {
    module: 'env',
    name,
    type: functionType(signature),
    fuel: 0,
    handsOver: false,
    needsCall: true,
    refusal: () => status.failed,
    bind,
    ...options,
  }
}

/**
 * The function that is linked: counts the call, turns refusals of the host into codes, and keeps errors of the node apart
 * from traps of the guest ({@link CallEnd} passes through).
 */
export function link(host: HostFunction, guest: Guest, suspending: boolean): (...parameters: number[]) => unknown {
  const run = host.bind(guest) as (...parameters: number[]) => unknown
  const refuse = (error: unknown): number => {
    if (!(error instanceof HostFault)) return guest.fail(error)
    if (error.limit !== undefined) guest.call.hit(error.limit)
    guest.complain(`${host.name}: ${error.message}`)
    return host.refusal(error)
  }
  return (...parameters) => {
    try {
      guest.countHostCall()
      if (host.fuel > 0) guest.meter.charge(host.fuel)
      if (host.needsCall && guest.initialising) return guest.notNow(host.name, 'while the module is being initialised')
      if (host.blocks !== undefined && guest.allocating) return guest.notNow(host.name, 'by alloc')
      const answer = run(...parameters)
      if (!(answer instanceof Promise)) return answer
      if (suspending) return answer.catch(refuse)
      // Nobody will look at the promise; its failure must not end the process.
      answer.catch(() => undefined)
      return guest.blocked(host.name)
    } catch (error) {
      return refuse(error)
    }
  }
}

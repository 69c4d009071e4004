import { describe, expect, it } from 'vitest'
import type { HandlerOutcome, LoadedModule, PreparedModule } from '../engine.ts'
import { compileModule } from '../inline/compiled-module.ts'
import { createEngine } from '../inline/inline-engine.ts'
import { defaultCallLimits } from '../limits.ts'
import { parseModule } from '../module/parse.ts'
import { type GeneratedModule, generateModule } from '../testing/generator/generate.ts'
import { RecordingHost, testCall } from '../testing/recording-host.ts'
import { runOriginal, runPrepared } from './observed-run.ts'

/** Modules per test; a long run sets more. */
const modules = Number(process.env.W3BSTREAM_FUZZ_MODULES ?? 100)
/** The first module's seed: another for another corpus. */
const firstSeed = Number(process.env.W3BSTREAM_FUZZ_SEED ?? 1)
const seeds = Array.from({ length: modules }, (_, index) => firstSeed + index)
/** Enough for most; who needs more is not compared with the original, which nothing would stop. */
const fuel = 300_000
const timeoutMs = 60_000 + modules * 200

const engine = createEngine()

function prepare(seed: number, canonical = true): GeneratedModule & { prepared: PreparedModule } {
  const generated = generateModule(seed, { canonical })
  return { ...generated, prepared: engine.prepare(generated.bytes) }
}

function call(module: LoadedModule, handler: string, limits: { fuel: number; stackBytes?: number }): HandlerOutcome {
  const host = new RecordingHost()
  host.environment.set('', 'nothing')
  const outcome = module.call(testCall(handler, host, { limits, payload: 'payload' }))
  if (outcome instanceof Promise) throw new Error('suspended')
  return outcome
}

function expectSame(seed: number, handler: string, seen: unknown, wanted: unknown): void {
  expect({ seed, handler, seen }).toEqual({ seed, handler, seen: wanted })
}

/** Answers a turn later. */
class WaitingHost extends RecordingHost {
  override async kvGet(key: string): Promise<Uint8Array | undefined> {
    await Promise.resolve()
    return super.kvGet(key)
  }

  override async kvPut(key: string, value: Uint8Array): Promise<void> {
    await Promise.resolve()
    await super.kvPut(key, value)
  }
}

describe('generated modules', () => {
  it(
    'behave as the originals do on V8 alone: results, traps, host calls, memory, globals, tables',
    () => {
      const counts = { ended: 0, trapped: 0, limited: 0 }
      for (const seed of seeds) {
        const { bytes, prepared, handlers } = prepare(seed)
        for (const handler of handlers) {
          const { seen, limit } = runPrepared(prepared.bytes, handler, { fuel })
          if (limit === 'FUEL_LIMIT' || limit === 'STACK_LIMIT') counts.limited++
          else {
            counts[typeof seen.end === 'number' ? 'ended' : 'trapped']++
            expectSame(seed, handler, seen, runOriginal(bytes, handler))
          }
        }
      }
      console.info(`compared with the originals: ${JSON.stringify(counts)}`)
      expect(counts.ended).toBeGreaterThan(modules / 2)
    },
    timeoutMs,
  )

  it(
    'show the NaNs of a module that makes each canonical itself',
    () => {
      for (const seed of seeds) {
        const { prepared, handlers } = prepare(seed, false)
        const twin = generateModule(seed, { canonical: true })
        for (const handler of handlers) {
          const { seen, limit } = runPrepared(prepared.bytes, handler, { fuel })
          if (limit !== 'FUEL_LIMIT' && limit !== 'STACK_LIMIT')
            expectSame(seed, handler, seen, runOriginal(twin.bytes, handler))
        }
      }
    },
    timeoutMs,
  )

  it(
    'answer each call as a fresh instance does, in any order, with the same fuel',
    () => {
      for (const seed of seeds) {
        const { prepared, handlers } = prepare(seed)
        const used = engine.load(prepared, { mayBlock: false })
        const wanted = handlers.map((handler) => {
          const fresh = call(engine.load(prepared, { mayBlock: false }), handler, { fuel })
          const { seen, fuel: alone } = runPrepared(prepared.bytes, handler, { fuel })
          expectSame(seed, handler, fresh.fuel, alone)
          expectSame(
            seed,
            handler,
            fresh.type === 'returned' ? fresh.code : 'failed',
            typeof seen.end === 'number' ? seen.end : 'failed',
          )
          return fresh
        })
        const order = [...handlers, ...handlers.toReversed(), ...handlers, ...handlers.toReversed()]
        for (const handler of order)
          expectSame(seed, handler, call(used, handler, { fuel }), wanted[handlers.indexOf(handler)])
      }
    },
    timeoutMs,
  )

  it(
    'answer the same where their host lets them wait',
    async () => {
      for (const seed of seeds.slice(0, Math.ceil(modules / 2))) {
        const { prepared, handlers } = prepare(seed)
        const atOnce = engine.load(prepared, { mayBlock: false })
        const waiting = engine.load(prepared, { mayBlock: true })
        for (const handler of handlers) {
          const host = new WaitingHost()
          host.environment.set('', 'nothing')
          const outcome = await waiting.call(testCall(handler, host, { limits: { fuel }, payload: 'payload' }))
          expectSame(seed, handler, outcome, call(atOnce, handler, { fuel }))
        }
      }
    },
    timeoutMs,
  )

  it(
    'run out of fuel at every limit below what they use, and at none above',
    () => {
      const most = 600
      let tried = 0
      for (const seed of seeds.slice(0, Math.ceil(modules / 4))) {
        const generated = generateModule(seed, { canonical: true, budget: 12 })
        const prepared = engine.prepare(generated.bytes)
        const module = engine.load(prepared, { mayBlock: false })
        const { instanceFuel } = compileModule(parseModule(prepared.bytes), '', defaultCallLimits.memoryPages)
        const least = Number(instanceFuel) - 1
        for (const handler of generated.handlers) {
          const whole = call(module, handler, { fuel })
          if (whole.fuel > least + most) continue
          tried++
          const used = Number(whole.fuel)
          for (let limit = least; limit < used; limit++)
            expect({ seed, handler, ...call(module, handler, { fuel: limit }) }).toMatchObject({
              ...{ seed, handler, type: 'failed', error: 'FUEL_LIMIT', fuel: BigInt(limit) },
              message: `more than ${limit} units of fuel`,
            })
          expectSame(seed, handler, call(module, handler, { fuel: used }), whole)
        }
      }
      expect(tried).toBeGreaterThan(0)
    },
    timeoutMs,
  )
})

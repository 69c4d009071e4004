import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { HandlerOutcome } from '../engine.ts'
import { EngineError } from '../errors.ts'
import { createEngine } from '../inline/inline-engine.ts'
import { Draw } from '../testing/generator/draw.ts'
import { generateModule } from '../testing/generator/generate.ts'
import { RecordingHost, testCall } from '../testing/recording-host.ts'

const rounds = Number(process.env.W3BSTREAM_FUZZ_MODULES ?? 100)
const firstSeed = Number(process.env.W3BSTREAM_FUZZ_SEED ?? 1)
const guests = new URL('../../../test/interop/guests/fixtures/', import.meta.url)
/** Go's runtime takes half a second to prepare; the others show the same. */
const mostBytes = 200_000
const limits = { fuel: 200_000, memoryPages: 40, logLines: 20, hostCalls: 1000 }

const engine = createEngine({ compiledModules: 1 })

function mutate(original: Uint8Array, draw: Draw): Uint8Array {
  const bytes = Uint8Array.from(original)
  for (let count = draw.between(1, 3); count > 0; count--)
    draw.weighted<() => void>([
      [5, () => (bytes[draw.below(bytes.length)]! ^= 1 << draw.below(8))],
      [3, () => (bytes[draw.below(bytes.length)] = draw.below(256))],
      [1, () => bytes.copyWithin(draw.below(bytes.length), draw.below(bytes.length), draw.below(bytes.length))],
    ])()
  return draw.chance(5) ? bytes.subarray(0, draw.below(bytes.length)) : bytes
}

/** Deploys and calls what may be no module at all. @returns how many handlers ran, none when it was refused */
function survive(bytes: Uint8Array): number {
  try {
    const prepared = engine.prepare(bytes)
    const module = engine.load(prepared, { mayBlock: false, memoryPages: limits.memoryPages })
    const outcomes = prepared.handlers.slice(0, 4).map((handler) => {
      const outcome = module.call(testCall(handler, new RecordingHost(), { limits, payload: '{"a":1}' }))
      return outcome as HandlerOutcome
    })
    for (const { fuel } of outcomes) expect(fuel).toBeLessThanOrEqual(limits.fuel)
    return outcomes.length
  } catch (error) {
    if (error instanceof EngineError && error.code === 'MODULE_INVALID') return 0
    throw error
  }
}

it.each(readdirSync(guests).filter((file) => readFileSync(new URL(file, guests)).length < mostBytes))(
  'refuses %s with some bytes changed, or runs it',
  (file) => {
    const original = readFileSync(new URL(file, guests))
    const draw = new Draw(firstSeed)
    for (let round = 0; round < Math.ceil(rounds / 4); round++) survive(mutate(original, draw))
  },
  60_000 + rounds * 100,
)

it(
  'refuses generated modules with some bytes changed, or runs them',
  () => {
    const draw = new Draw(firstSeed)
    let ran = 0
    for (let seed = firstSeed; seed < firstSeed + rounds; seed++) {
      const { bytes } = generateModule(seed, { canonical: false })
      for (let round = 0; round < 5; round++) ran += survive(mutate(bytes, draw)) > 0 ? 1 : 0
    }
    expect(ran).toBeGreaterThan(0)
  },
  60_000 + rounds * 100,
)

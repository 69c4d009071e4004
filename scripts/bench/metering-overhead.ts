import { parseModule } from '../../packages/node/src/engine/module/parse.ts'
import { reserved } from '../../packages/node/src/engine/module/prepared-format.ts'
import { allFeatures, type RewriteFeatures, rewriteModule } from '../../packages/node/src/engine/module/rewrite.ts'
import { compileApplet } from '../../packages/node/src/engine/testing/compile-applet.ts'
import {
  type WasmFunction,
  type WasmGlobal,
  type WasmInstance,
  wasm,
} from '../../packages/node/src/engine/webassembly.ts'
import { type BenchContext, type Contender, compare, type Sample } from './compare.ts'
import type { BenchRow } from './row.ts'

/** Handlers whose times make the value of the row; the others are reported beside it. */
const counted = ['sha256', 'json', 'matrix'] as const
const apart = ['floats', 'fibonacci'] as const
type Workload = (typeof counted)[number] | (typeof apart)[number]

/** Calls of one round; the fastest counts, since whatever disturbs makes a call slower. */
const calls = 40

const unmetered: RewriteFeatures = { metered: false, canonicalNans: false }

/**
 * Milliseconds that three computations take in metered code, against the same code rewritten without fuel, stack and
 * canonical NaNs.
 */
export async function benchMeteringOverhead(context: BenchContext): Promise<BenchRow[]> {
  const applet = await compileApplet(new URL('assembly/metering.ts', import.meta.url))
  const metered = instantiate(applet, allFeatures)
  const bare = instantiate(applet, unmetered)
  const ours: Contender = { name: 'metered', measure: async () => withDetails(metered, bare) }
  const baselines = [{ name: 'the same without metering', measure: async () => ({ value: total(bare) }) }]
  return [await compare({ name: 'metering-overhead', unit: 'ms', better: 'lower', ours, baselines }, context)]
}

function instantiate(applet: Uint8Array, features: RewriteFeatures): WasmInstance {
  const module = new wasm.Module(rewriteModule(parseModule(applet), features))
  const abort = () => {
    throw new Error('the applet aborted')
  }
  const instance = new wasm.Instance(module, { env: { abort } })
  const start = instance.exports[reserved.start] as (() => void) | undefined
  refill(instance)
  start?.()
  return instance
}

function refill({ exports }: WasmInstance): void {
  ;(exports[reserved.fuel] as WasmGlobal).value = 1n << 60n
  ;(exports[reserved.stack] as WasmGlobal).value = 512 * 1024
}

function withDetails(metered: WasmInstance, bare: WasmInstance): Sample {
  const overhead = (name: Workload): [string, number] => [
    `${name} %`,
    (fastest(metered, name) / fastest(bare, name) - 1) * 100,
  ]
  const details = Object.fromEntries([...counted, ...apart].map(overhead))
  return { value: total(metered), details }
}

function total(instance: WasmInstance): number {
  return counted.reduce((sum, name) => sum + fastest(instance, name), 0)
}

/** @returns milliseconds */
function fastest(instance: WasmInstance, name: Workload): number {
  const handler = instance.exports[name] as WasmFunction as (rid: number) => number
  let best = Number.POSITIVE_INFINITY
  for (let n = 0; n < calls; n++) {
    refill(instance)
    const begin = performance.now()
    handler(0)
    best = Math.min(best, performance.now() - begin)
  }
  return best
}

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const modules = Number(process.env.W3BSTREAM_FUZZ_MODULES ?? 100)
const firstSeed = Number(process.env.W3BSTREAM_FUZZ_SEED ?? 1)

/** V8's compilers for WebAssembly, and processors that lack what most have. */
const flags = [
  [],
  ['--liftoff-only'],
  ['--no-liftoff', '--no-wasm-lazy-compilation'],
  ['--no-enable-avx', '--no-enable-avx2', '--no-enable-fma3', '--no-enable-bmi1', '--no-enable-popcnt'],
]

it(
  'gives the same results, NaNs, traps and fuel whatever V8 makes of the code',
  async () => {
    const script = fileURLToPath(new URL('digest.ts', import.meta.url))
    const digests = await Promise.all(
      flags.map(async (set) => {
        const args = ['--conditions=source', ...set, script, `${firstSeed}`, `${modules}`]
        return (await promisify(execFile)(process.execPath, args)).stdout.trim()
      }),
    )
    expect(digests[0]).toMatch(/^[0-9a-f]{64}$/)
    expect(new Set(digests).size).toBe(1)
  },
  120_000 + modules * 200,
)

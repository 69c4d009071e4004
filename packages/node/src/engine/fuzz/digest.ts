/**
 * Prints a digest of all that generated modules do, for one set of flags of V8 to be compared with another:
 *
 *     node --conditions=source --liftoff-only digest.ts FIRST-SEED COUNT
 */
import { createHash } from 'node:crypto'
import { createEngine } from '../inline/inline-engine.ts'
import { generateModule } from '../testing/generator/generate.ts'
import { runPrepared } from './observed-run.ts'

const fuel = 300_000
const [first = 0, count = 0] = process.argv.slice(2).map(Number)
const engine = createEngine()
const hash = createHash('sha256')
for (let seed = first; seed < first + count; seed++) {
  const { bytes, handlers } = generateModule(seed, { canonical: false })
  const prepared = engine.prepare(bytes)
  for (const handler of handlers) {
    const { seen, fuel: used, limit } = runPrepared(prepared.bytes, handler, { fuel })
    hash.update(JSON.stringify([seed, handler, seen, String(used), limit]))
  }
}
console.info(hash.digest('hex'))

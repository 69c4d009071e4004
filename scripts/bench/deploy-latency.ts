import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { compileApplet } from '../../packages/node/src/engine/testing/compile-applet.ts'
import { wasm } from '../../packages/node/src/engine/webassembly.ts'
import { appletForm, Management, request } from '../../packages/node/test/support/management.ts'
import { NodeProcess } from '../../packages/node/test/support/node-process.ts'
import { type BenchContext, type Contender, compare, type Sample } from './compare.ts'
import type { BenchRow } from './row.ts'
import { tempDirectory } from './temp.ts'

/** Deployments of one round. */
const deployments = 40
/** Functions of the applet, which make a module of about 300 KB. */
const functions = 2200
const handler = 'start'
const payload = '21.5'

/**
 * Milliseconds from the upload of a new version of an applet to the answer of the first event that ran on it: examination,
 * instrumentation, storage, the change of the project's history, compilation, the event itself; the slowest but one in a
 * hundred. Against compiling and instantiating alone.
 */
export async function benchDeployLatency(context: BenchContext): Promise<BenchRow[]> {
  await using node = await NodeProcess.start()
  const management = await Management.login(node)
  await management.project('deploy')
  const versions = new Versions(await compileLarge())
  const applet = await management.applet('deploy', versions.next(), [{ eventType: 'REPORT', handler }])
  const device = await management.device('deploy', 'station')
  const eventUrl = `${node.events}/srv-applet-mgr/v0/event/${management.channel('deploy')}?eventType=REPORT`

  const once = async (): Promise<number> => {
    const form = appletForm(versions.next(), { appletName: 'applet' })
    const began = performance.now()
    await management.expect('PUT', `/applet/${applet.appletID}`, form)
    const init = { method: 'POST', headers: { authorization: device.token }, body: payload }
    const { json } = await request<{ results: { code: number }[] | null }>(eventUrl, init)
    if (json.results?.[0]?.code !== 0) throw new Error(`the new version failed: ${JSON.stringify(json)}`)
    return performance.now() - began
  }
  const ours: Contender = { name: 'w3bstream', measure: () => repeat(once) }
  const baselines: Contender[] = [
    { name: 'new WebAssembly.Module of the same bytes', measure: () => repeat(async () => compile(versions.next())) },
  ]
  return [await compare({ name: 'deploy-latency', unit: 'ms p99', better: 'lower', ours, baselines }, context)]
}

async function repeat(once: () => Promise<number>): Promise<Sample> {
  const times: number[] = []
  for (let n = 0; n < deployments; n++) times.push(await once())
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))]!
  return { value: at(0.99), details: { 'median ms': at(0.5) } }
}

function compile(bytes: Uint8Array): number {
  const began = performance.now()
  new wasm.Module(bytes)
  return performance.now() - began
}

/** An applet of very many functions that the compiler can neither inline nor leave out. */
async function compileLarge(): Promise<Uint8Array> {
  await using directory = await tempDirectory()
  const bodies = Array.from(
    { length: functions },
    (_, n) => `
function step${n}(a: i32, b: f64): f64 {
  let sum = b
  for (let i = 0; i < a; i++) sum += <f64>(i ^ ${n}) * b + Math.sqrt(sum + ${n + 1})
  if (sum > ${n}) sum -= <f64>load<u8>(a & 1023) + ${n + 0.5}
  return sum
}`,
  )
  const list = bodies.map((_, n) => `step${n}`).join(', ')
  const source = `${bodies.join('')}
const all: ((a: i32, b: f64) => f64)[] = [${list}]
export function alloc(size: i32): usize { return heap.alloc(size) }
export function ${handler}(rid: i32): i32 { return all[rid % all.length](3, 1.5) > -1e9 ? 0 : 1 }
`
  const file = join(directory.path, 'large.ts')
  await writeFile(file, source)
  return compileApplet(pathToFileURL(file))
}

/** One module in ever new versions: a custom section with a number makes each of them another file. */
class Versions {
  readonly #module: Uint8Array
  #number = 0

  constructor(module: Uint8Array) {
    this.#module = module
  }

  next(): Uint8Array<ArrayBuffer> {
    const name = `v${`${++this.#number}`.padStart(8, '0')}`
    const section = [0, name.length + 1, name.length, ...Buffer.from(name)]
    const bytes = new Uint8Array(this.#module.length + section.length)
    bytes.set(this.#module)
    bytes.set(section, this.#module.length)
    return bytes
  }
}

import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CallEnd, isGuestTrap } from '../host/call-end.ts'
import { CallState } from '../host/call-state.ts'
import { Guest } from '../host/guest.ts'
import { type HostFunction, link } from '../host/host-function.ts'
import { hostTable } from '../host/table.ts'
import { createEngine } from '../inline/inline-engine.ts'
import { assemble } from '../testing/assemble.ts'
import { RecordingHost, testCall } from '../testing/recording-host.ts'
import { type WasmGlobal, type WasmMemory, wasm } from '../webassembly.ts'

const rounds = Number(process.env.W3BSTREAM_FUZZ_MODULES ?? 40)
const memoryBytes = 131_072
const limits = {
  fuel: 2_000_000,
  logLines: 30,
  logLineBytes: 500,
  hostCalls: 100,
  transferBytes: 70_000,
  memoryPages: 2,
}

/** Allocators: honest, far outside, across the end, trapping, endless, recursive. */
const allocators = 6
const { bytes } = createEngine().prepare(
  assemble(`(module
    (memory (export "memory") 2 2)
    (global $kind (export "kind") (mut i32) (i32.const 0))
    (func $alloc (export "alloc") (param i32) (result i32)
      (block $recursive (block $endless (block $trap (block $across (block $outside (block $honest
        (br_table $honest $outside $across $trap $endless $recursive (global.get $kind)))
        (return (i32.const 4096)))
        (return (i32.const -5)))
        (return (i32.const 131071)))
        (unreachable))
        (loop $again (br $again)))
      (i32.add (i32.const 1) (call $alloc (local.get 0))))
    (func (export "start") (param i32) (result i32) (i32.const 0)))`),
)
const module = new wasm.Module(bytes)

const edges = [0, 1, 2, 3, 4, 5, 6, 8, 16, 48, 64, 1000, 4096, 65_535, 65_536, 70_001, 100_000, memoryBytes - 8]
const numbers = fc.oneof(
  fc.constantFrom(
    ...edges,
    memoryBytes - 1,
    memoryBytes,
    memoryBytes + 1,
    0x7fff_ffff,
    -0x8000_0000,
    -1,
    -2,
    -4,
    -8,
    -48,
  ),
  fc.integer({ min: 0, max: 64 }),
  fc.integer({ min: 0, max: memoryBytes }),
  fc.integer(),
)
const longs = fc.oneof(
  fc.constantFrom(0n, 1n, -1n, 1n << 62n, -(1n << 63n)),
  fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
)

/** What lies in the memory: text that means something to some function, or words that are places and sizes. */
const texts = [
  '{"statement":"SELECT 1","params":[{"int32":1}]}',
  '{"to":"0x1234","value":"0x0","data":"0x00"}',
  '{"Method":"GET","Url":"w3bstream://x"}',
  '{"a":1}',
  'a/b/../c',
  '/data/file',
]
const contents = fc.oneof(
  fc.constantFrom(...texts).map((text) => Buffer.from(text)),
  fc.array(numbers, { minLength: 1, maxLength: 64 }).map((words) => Buffer.from(Int32Array.from(words).buffer)),
  fc.uint8Array({ minLength: 1, maxLength: 64 }),
)

interface Step {
  readonly parameters: readonly (number | bigint)[]
  readonly content: Uint8Array
  readonly allocator: number
}

function steps({ type }: HostFunction): fc.Arbitrary<Step[]> {
  const parameters = fc.tuple(
    ...type.params.map((param) => (param === 'i64' ? longs : param === 'i32' ? numbers : fc.double())),
  )
  const allocator = fc.nat(allocators - 1)
  return fc.array(fc.record({ parameters, content: contents, allocator }), { minLength: 1, maxLength: 5 })
}

/** Several calls of one function in one call of a handler. @returns all that can be seen of them */
function run(host: HostFunction, calls: readonly Step[]): unknown {
  const instance = new wasm.Instance(module, {})
  const guest = new Guest()
  guest.attach(instance)
  const recording = new RecordingHost()
  recording.environment.set('a', 'b'.repeat(200))
  recording.message = { topic: 't', payload: new Uint8Array(5) }
  recording.rows = { columns: [{ name: 'n', type: 'integer' }], rows: [[1n]], changes: 0 }
  const state = new CallState(testCall('start', recording, { limits, payload: 'x'.repeat(3000) }))
  guest.begin(state)
  guest.meter.arm(state.limits)
  const call = link(host, guest, false) as (...parameters: unknown[]) => unknown
  const memory = new Uint8Array((instance.exports.memory as WasmMemory).buffer)
  const answers = calls.map(({ parameters, content, allocator }) => {
    for (let at = 0; at < memoryBytes; at += 8192) memory.set(content.subarray(0, memoryBytes - at), at)
    ;(instance.exports.kind as WasmGlobal).value = allocator
    return answerOf(() => call(...parameters))
  })
  expect(state.fault).toBeUndefined()
  const fuel = guest.meter.used
  guest.end()
  expect(memory.length).toBe(memoryBytes)
  expect(recording.lines.length).toBeLessThanOrEqual(limits.logLines + 1)
  return { answers, fuel, lines: recording.lines, memory: createHash('sha256').update(memory).digest('hex') }
}

function answerOf(call: () => unknown): unknown {
  try {
    const answer = call()
    if (typeof answer === 'number') expect(Number.isInteger(answer)).toBe(true)
    return answer
  } catch (error) {
    if (error instanceof CallEnd) return error.code
    if (isGuestTrap(error)) return 'trap'
    throw error
  }
}

describe('host functions with wild pointers and sizes', () => {
  const all = [...hostTable].flatMap(([name, variants]) => variants.map((host) => [name, host] as const))

  it.each(all)('%s answers a code or ends the call, the same each time', (_, host) => {
    fc.assert(
      fc.property(steps(host), (calls) => {
        expect(run(host, calls)).toEqual(run(host, calls))
      }),
      { numRuns: rounds },
    )
  })
})

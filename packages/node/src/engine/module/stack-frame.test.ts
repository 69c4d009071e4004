import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { assemble } from '../testing/assemble.ts'
import { parseModule } from './parse.ts'
import { reserved, stopReasons } from './prepared-format.ts'
import { rewriteModule } from './rewrite.ts'

/** The largest limit that a project may set, and the stack that worker threads get: Node's own default, MiB. */
const mostBytes = 1024 * 1024
const stackSizeMb = 4

const repeat = (count: number, part: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => part(n)).join(' ')

/** Locals that live across the call, so that no compiler can leave them out. */
function keepsLocals(type: string, count: number): string {
  return `(func $f (export "f") (param i32) (result i32) ${repeat(count, () => `(local ${type})`)}
    ${repeat(count, (n) => `(local.set ${n + 1} (${type}.load (i32.const ${n * 16})))`)}
    (drop (call $f (local.get 0)))
    ${repeat(count, (n) => `(${type}.store (i32.const ${n * 16}) (local.get ${n + 1}))`)}
    (i32.const 1))`
}

function keepsOperands(count: number): string {
  const loads = repeat(count, (n) => `(i32.add (i32.load (i32.const ${n * 4}))`)
  return `(func $f (export "f") (param i32) (result i32) ${loads} (call $f (local.get 0)) ${')'.repeat(count)})`
}

function passesParameters(count: number): string {
  return `
    (func $f (export "f") (param i32) (result i32)
      (call $g (local.get 0) ${repeat(count, () => '(i64.load (i32.const 8))')}))
    (func $g (param i32) ${repeat(count, () => '(param i64)')} (result i32) (call $f (local.get 0)))`
}

const throughTable = `
  (table 1 funcref) (elem (i32.const 0) $f)
  (func $f (export "f") (param i32) (result i32)
    (i32.add (call_indirect (param i32) (result i32) (local.get 0) (i32.const 0)) (i32.const 1)))`

/** Runs until it is stopped, several times, so that both compilers of V8 have their turn; tells why, each time. */
const script = `
  const { parentPort, workerData: { bytes, stackBytes, names } } = require('node:worker_threads')
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes))
  const reasons = new Set()
  for (let n = 0; n < 50; n++) {
    exports[names.fuel].value = 1n << 40n
    exports[names.stack].value = stackBytes
    exports[names.stopped].value = 0
    try { exports.f(1) } catch {}
    reasons.add(exports[names.stopped].value)
  }
  parentPort.postMessage([...reasons])`

function reasonsToStop(text: string): Promise<number[]> {
  const bytes = rewriteModule(parseModule(assemble(`(module ${text} (memory (export "memory") 1))`)))
  const workerData = { bytes, stackBytes: mostBytes, names }
  const worker = new Worker(script, { eval: true, workerData, resourceLimits: { stackSizeMb } })
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}

const names = { fuel: reserved.fuel, stack: reserved.stack, stopped: reserved.stopped }

describe('the count of the stack', () => {
  it.each([
    ['small frames', keepsLocals('i32', 1)],
    ['many locals', keepsLocals('i64', 200)],
    ['vectors', keepsLocals('v128', 50)],
    ['many operands', keepsOperands(100)],
    ['many parameters', passesParameters(60)],
    ['calls through tables', throughTable],
  ])('ends recursion before V8 does: %s', async (_, text) => {
    expect(await reasonsToStop(text)).toEqual([stopReasons.stack])
  })
})

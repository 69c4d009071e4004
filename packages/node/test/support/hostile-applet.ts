import { assemble } from '../../src/engine/testing/assemble.ts'
import type { Management } from './management.ts'

/** Handlers that attack in one way each; `note` behaves: it stores one byte under the payload's text. */
const handlers = {
  spin: '(loop $l (br $l))',
  recurse: '(return (i32.add (i32.const 1) (call $recurse (local.get 0))))',
  recurseInTable:
    '(return (i32.add (i32.const 1) (call_indirect (param i32) (result i32) (local.get 0) (i32.const 0))))',
  bombMemory: '(loop $l (br_if $l (i32.ne (memory.grow (i32.const 5)) (i32.const -1)))) (unreachable)',
  bombTable:
    '(loop $l (br_if $l (i32.ne (table.grow $t (ref.null func) (i32.const 50)) (i32.const -1)))) (unreachable)',
  floodHost: '(loop $l (drop (call $yield)) (br $l))',
  floodLog: `(loop $l (drop (call $log (i32.const 4) (i32.const 0) (i32.const 60000)))
    (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 200))))`,
  putHuge: '(return (call $put (i32.const 0) (i32.const 4) (i32.const 0) (i32.const 100000)))',
  putThenTrap: '(drop (call $put (i32.const 16) (i32.const 4) (i32.const 0) (i32.const 1))) (unreachable)',
  pointOutside: '(return (call $put (i32.const -8) (i32.const 100) (i32.const 131070) (i32.const -1)))',
  allocLoops: '(global.set $hostile (i32.const 1)) (return (call $data (local.get 0) (i32.const 8) (i32.const 12)))',
  note: `(drop (call $data (local.get 0) (i32.const 8) (i32.const 12)))
    (return (call $put (i32.load (i32.const 8)) (i32.load (i32.const 12)) (i32.const 0) (i32.const 1)))`,
} as const

export type HostileHandler = keyof typeof handlers

const text = `(module
  (import "env" "ws_log" (func $log (param i32 i32 i32) (result i32)))
  (import "env" "ws_set_db" (func $put (param i32 i32 i32 i32) (result i32)))
  (import "env" "ws_get_data" (func $data (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 16) "half")
  (table $t 1 funcref)
  (elem (i32.const 0) $recurseInTable)
  (global $hostile (mut i32) (i32.const 0))
  (func (export "alloc") (param i32) (result i32)
    (loop $l (br_if $l (global.get $hostile)))
    (i32.const 1024))
  ${Object.entries(handlers)
    .map(
      ([name, body]) =>
        `(func $${name} (export "${name}") (param i32) (result i32) (local $n i32) ${body} (i32.const 0))`,
    )
    .join('\n')})`

/** Limits that all attacks reach within milliseconds. */
export const hostileLimits = {
  fuel: 5_000_000,
  hostCalls: 2000,
  logLines: 50,
  logLineBytes: 200,
  tableEntries: 1000,
  memoryPages: 64,
  kvValueBytes: 1000,
}

/** Deploys the attacks; the type of an event is the handler that it is for. */
export async function deployHostile(admin: Management, project: string): Promise<void> {
  const routes = Object.keys(handlers).map((handler) => ({ eventType: handler, handler }))
  await admin.applet(project, new Uint8Array(assemble(text)), routes, 'hostile')
}

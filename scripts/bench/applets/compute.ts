import { event, kv } from '@w3bstream/applet-sdk'

/** Rounds of mixing: some milliseconds of a processor, many times what a commit costs. */
const ROUNDS = 3_000_000

/** Computes something that takes its time, and keeps the result. */
export function compute(rid: i32): i32 {
  const payload = event.bytes(rid)
  let a: u32 = payload.length
  for (let i = 0; i < ROUNDS; i++) a = rotl<u32>(a ^ <u32>i, 7) * 0x9e3779b1
  kv.setText('last', a.toString())
  return 0
}

import { readFileSync } from 'node:fs'

/** A module of `test/interop/guests`, whose README says what its handlers do. */
export function guest(name: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(new URL(`../interop/guests/fixtures/${name}.wasm`, import.meta.url)))
}

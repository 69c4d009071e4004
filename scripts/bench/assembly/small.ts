import { GetDataByRID, Log } from '@w3bstream/wasm-sdk'

export { alloc } from '@w3bstream/wasm-sdk'

export function start(rid: i32): i32 {
  Log(GetDataByRID(rid))
  return 0
}

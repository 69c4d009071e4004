import { GetDataByRID, SubmitMetrics } from '@w3bstream/wasm-sdk'
export { alloc } from '@w3bstream/wasm-sdk'

export function start(rid: i32): i32 {
  return SubmitMetrics(GetDataByRID(rid))
}

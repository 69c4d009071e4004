import { GetDataByRID, Log } from '@w3bstream/wasm-sdk'
export { alloc } from '@w3bstream/wasm-sdk'

export function start(rid: i32): i32 {
  Log('received ' + GetDataByRID(rid))
  return 0
}

export function rejects(rid: i32): i32 {
  assert(rid == 0, 'asserted by the applet')
  return 0
}

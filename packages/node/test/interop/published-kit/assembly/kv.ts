import { GetDataByRID, GetDB, Log, SetDB } from '@w3bstream/wasm-sdk'
import { Bytes } from '@w3bstream/wasm-sdk/assembly/database'
export { alloc } from '@w3bstream/wasm-sdk'

export function start(rid: i32): i32 {
  const key = GetDataByRID(rid)
  const stored = GetDB(key)
  const count = stored == null ? 1 : Bytes.toInt32(stored) + 1
  SetDB(key, Bytes.fromInt32(count))
  Log(key + ' ' + count.toString())
  return count
}

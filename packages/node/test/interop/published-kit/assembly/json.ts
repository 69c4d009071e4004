import { GetDataByRID, JSON, Log } from '@w3bstream/wasm-sdk'
export { alloc } from '@w3bstream/wasm-sdk'

export function start(rid: i32): i32 {
  const message = JSON.parse(GetDataByRID(rid)) as JSON.Obj
  const name = message.getString('name')
  const count = message.getInteger('count')
  const ratio = message.getFloat('ratio')
  if (name == null || count == null || ratio == null) return -1
  Log(name.valueOf() + ' ' + count.valueOf().toString() + ' ' + ratio.valueOf().toString())
  return i32(count.valueOf())
}

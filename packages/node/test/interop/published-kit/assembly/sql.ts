import { ExecSQL, GetDataByRID, Log, QuerySQL } from '@w3bstream/wasm-sdk'
import { Float64, Int32, String as Text } from '@w3bstream/wasm-sdk/assembly/sql'
export { alloc } from '@w3bstream/wasm-sdk'

export function start(rid: i32): i32 {
  ExecSQL('INSERT INTO t_reading (f_name, f_count, f_value) VALUES (?, ?, ?)', [
    new Text(GetDataByRID(rid)),
    new Int32(7),
    new Float64(0.25),
  ])
  Log('rows ' + QuerySQL('SELECT f_count, f_name, f_value FROM t_reading WHERE f_count = ?', [new Int32(7)]))
  return 0
}

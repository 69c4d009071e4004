import { GetDataByRID, HTTP, Log } from '@w3bstream/wasm-sdk'
export { alloc } from '@w3bstream/wasm-sdk'

export function start(rid: i32): i32 {
  Log('answer ' + HTTP.readTx('iotex-testnet', GetDataByRID(rid)))
  return 0
}

export function handle_result(rid: i32): i32 {
  Log('result ' + HTTP.parseResult(GetDataByRID(rid)))
  return 0
}

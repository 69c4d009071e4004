import { CallContract, GetDataByRID, Log } from '@w3bstream/wasm-sdk'
import { hexToInt, hexToUtf8 } from '@w3bstream/wasm-sdk/assembly/utility'
export { alloc } from '@w3bstream/wasm-sdk'

export function start(rid: i32): i32 {
  const token = GetDataByRID(rid)
  const decimals = CallContract(4690, token, '0x313ce567')
  Log('decimals ' + hexToInt(decimals).toString())
  Log('symbol ' + hexToUtf8(CallContract(4690, token, '0x95d89b41')))
  return 0
}

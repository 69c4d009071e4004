import { GetDataByRID, Log, SendTx } from '@w3bstream/wasm-sdk'
import { buildTxSlot, buildTxString, ethToHex } from '@w3bstream/wasm-sdk/assembly/utility'
export { alloc } from '@w3bstream/wasm-sdk'

const TOKEN = '0xb73eE6EB5b1984c78CCcC49eA7Ad773E71d74F51'

export function start(rid: i32): i32 {
  const owner = GetDataByRID(rid)
  const data = buildTxString(['40c10f19', buildTxSlot(owner), buildTxSlot(ethToHex('2'))])
  Log('hash ' + SendTx(4690, TOKEN, '0', data))
  return 0
}

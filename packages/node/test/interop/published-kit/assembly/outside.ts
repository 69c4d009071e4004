import { ApiCall, GetDataByRID, HTTP, JSON, Log } from '@w3bstream/wasm-sdk'
export { alloc } from '@w3bstream/wasm-sdk'

function text(payload: JSON.Obj, name: string): string {
  const value = payload.getString(name)
  return value ? value.valueOf() : ''
}

/** Any call, as the payload words it. */
export function call(rid: i32): i32 {
  ApiCall(GetDataByRID(rid))
  return 0
}

export function read(rid: i32): i32 {
  const payload = JSON.parse(GetDataByRID(rid)) as JSON.Obj
  HTTP.readTx(text(payload, 'chain'), text(payload, 'hash'))
  return 0
}

export function send(rid: i32): i32 {
  const payload = JSON.parse(GetDataByRID(rid)) as JSON.Obj
  HTTP.sendTx(text(payload, 'chain'), '', text(payload, 'to'), '7', '0x')
  return 0
}

export function prove(rid: i32): i32 {
  HTTP.genZkProof('1, 2, 3, 4, 5, 6, 7, 8', GetDataByRID(rid), 'open', 'Stark')
  return 0
}

export function handle_result(rid: i32): i32 {
  Log('result ' + GetDataByRID(rid))
  return 0
}

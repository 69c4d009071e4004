// Uses every function of the published AssemblyScript kit; compiled by published-kit.test.ts.
import {
  Abort,
  ApiCall,
  CallContract,
  ExecSQL,
  GetDataByRID,
  GetDB,
  GetEnv,
  Log,
  QuerySQL,
  SendTx,
  SetDB,
  SubmitMetrics,
} from '@w3bstream/wasm-sdk'

import { Int64, String as SqlString } from '@w3bstream/wasm-sdk/assembly/sql'

export { alloc } from '@w3bstream/wasm-sdk'

let calls: i32 = 0

export function echo(rid: i32): i32 {
  Log(GetDataByRID(rid))
  return ++calls
}

export function store(rid: i32): i32 {
  const before = GetDB('last')
  if (before !== null) Log('before: ' + String.UTF8.decode(before))
  SetDB('last', String.UTF8.encode(GetDataByRID(rid)))
  return 0
}

export function sql(rid: i32): i32 {
  ExecSQL('INSERT INTO t VALUES (?,?)', [new Int64(9007199254740993), new SqlString('x')])
  Log(QuerySQL('SELECT 1'))
  return 0
}

export function chain(rid: i32): i32 {
  Log(SendTx(4690, '0x1234', '0', '0xabcd'))
  Log(CallContract(4690, '0x1234', '0xabcd'))
  return 0
}

export function host(rid: i32): i32 {
  Log(GetEnv('NAME'))
  SubmitMetrics('{"a":1}')
  ApiCall('{"Method":"GET","Url":"/system/hello","Header":{},"Body":""}')
  return 0
}

export function random(rid: i32): i32 {
  return i32(Math.random() * 1000000000)
}

export function builtins(rid: i32): i32 {
  trace('numbers', 2, 1.5, 2.5)
  Abort('from the kit', 'file.ts', 3, 4)
  assert(false, 'from the compiler')
  return 0
}

/**
 * Contracts on chains. Nothing is sent while a handler runs: a transaction is noted as an effect and sent after the batch is
 * committed, so one that was noted is sent exactly once, and none when the handler fails.
 */
import * as json from './json'
import { outPointer, outSize, refuse, takeBytes, takeText } from './memory'

// @ts-ignore: decorator
@external('env', 'ws_send_tx')
declare function ws_send_tx(chain: i32, tx: usize, txSize: usize, pointer: usize, size: usize): i32
// @ts-ignore: decorator
@external('env', 'ws_send_tx_with_operator')
declare function ws_send_tx_with_operator(chain: i32, tx: usize, txSize: usize, pointer: usize, size: usize): i32
// @ts-ignore: decorator
@external('env', 'ws_call_contract')
declare function ws_call_contract(chain: i32, call: usize, callSize: usize, pointer: usize, size: usize): i32

/** Sends from the project's operator account; null when the node refuses (unknown chain, cannot be estimated). */
export function trySendTransaction(chainId: u32, to: string, value: string, data: string): string | null {
  const tx = encode(to, value, data, '')
  const code = ws_send_tx(chainId, changetype<usize>(tx), tx.byteLength, outPointer(), outSize())
  return code == 0 ? takeText() : null
}

/**
 * Sends from the project's operator account; ends the call when the node refuses.
 * @param chainId for example 4690
 * @param to the contract, `0x` and 40 digits
 * @param value coins to go with it, in the smallest unit, decimal
 * @param data hexadecimal, usually of `abi.Call`
 * @returns `0x` and 64 digits: the transaction's hash, or in a subnet the id of the effect
 */
export function sendTransaction(chainId: u32, to: string, value: string, data: string): string {
  const hash = trySendTransaction(chainId, to, value, data)
  if (hash == null) refuse('chain.sendTransaction', -1)
  return hash as string
}

/** The same from a named operator account of the project's owner. */
export function sendTransactionWith(operator: string, chainId: u32, to: string, value: string, data: string): string {
  const tx = encode(to, value, data, operator)
  const code = ws_send_tx_with_operator(chainId, changetype<usize>(tx), tx.byteLength, outPointer(), outSize())
  if (code != 0) refuse('chain.sendTransactionWith', code)
  return takeText()
}

/** Asks a contract without changing it; null when the node or the contract refuses. */
export function tryCallContract(chainId: u32, to: string, data: string): Uint8Array | null {
  const call = String.UTF8.encode(new json.ObjectWriter().text('to', to).text('data', data).toString())
  const code = ws_call_contract(chainId, changetype<usize>(call), call.byteLength, outPointer(), outSize())
  return code == 0 ? takeBytes() : null
}

/** Asks a contract; read the result with `abi.uintAt` and its like. Ends the call when refused. */
export function callContract(chainId: u32, to: string, data: string): Uint8Array {
  const result = tryCallContract(chainId, to, data)
  if (result == null) refuse('chain.callContract', -1)
  return result as Uint8Array
}

function encode(to: string, value: string, data: string, operator: string): ArrayBuffer {
  const tx = new json.ObjectWriter().text('to', to).text('value', value).text('data', data)
  if (operator.length > 0) tx.text('operatorName', operator)
  return String.UTF8.encode(tx.toString())
}

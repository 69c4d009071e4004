/** The event that a handler was called for. `rid` is the handler's parameter. */
import * as json from './json'
import { outPointer, outSize, refuse, takeBytes, takeText } from './memory'

// @ts-ignore: decorator
@external('env', 'ws_get_data')
declare function ws_get_data(rid: i32, pointer: usize, size: usize): i32
// @ts-ignore: decorator
@external('env', 'ws_set_data')
declare function ws_set_data(rid: i32, data: usize, size: usize): i32

/** The payload as it was sent. */
export function bytes(rid: i32): Uint8Array {
  const code = ws_get_data(rid, outPointer(), outSize())
  if (code != 0) refuse('event.bytes', code)
  return takeBytes()
}

/** The payload as UTF-8 text. */
export function text(rid: i32): string {
  const code = ws_get_data(rid, outPointer(), outSize())
  if (code != 0) refuse('event.text', code)
  return takeText()
}

/** The payload as JSON. Never fails: a payload that is not JSON gives a value whose `exists` is false. */
export function parse(rid: i32): json.Value {
  return json.parse(text(rid))
}

/** Replaces the payload under `rid`; in flows this is the operator's result. */
export function replace(rid: i32, data: Uint8Array): void {
  const code = ws_set_data(rid, data.dataStart, data.length)
  if (code != 0) refuse('event.replace', code)
}

/** The same with text. */
export function replaceText(rid: i32, data: string): void {
  replace(rid, Uint8Array.wrap(String.UTF8.encode(data)))
}

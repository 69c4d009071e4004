// Operators of a flow, well-behaved and hostile; compiled by flow.test.ts.
import { event, json, kv, log, publisher } from '@w3bstream/applet-sdk/assembly'

export { alloc } from '@w3bstream/applet-sdk/assembly'

function answer(rid: i32, text: string): i32 {
  event.replaceText(rid, text)
  return rid
}

/** FILTER: whether there is a value; `oops` for something else than an answer. */
export function hasValue(rid: i32): i32 {
  const value = event.parse(rid).get('value')
  return answer(rid, value.exists ? 'TRUE' : 'false')
}

/** FILTER that answers neither. */
export function unsure(rid: i32): i32 {
  return answer(rid, 'perhaps')
}

/** MAP: only the value. */
export function valueOf(rid: i32): i32 {
  return answer(rid, event.parse(rid).get('value').asInteger().toString())
}

/** MAP: twice the payload. */
export function twice(rid: i32): i32 {
  const text = event.text(rid)
  return answer(rid, text + text)
}

/** FLATMAP: words. */
export function words(rid: i32): i32 {
  const parts = event.text(rid).split(' ')
  return answer(rid, '["' + parts.join('","') + '"]')
}

/** GROUP by the field `group`. */
export function groupOf(rid: i32): i32 {
  return answer(rid, event.parse(rid).get('group').asText())
}

/** GROUP by the payload. */
export function itself(rid: i32): i32 {
  return rid
}

/** GROUP by the device. */
export function device(rid: i32): i32 {
  return answer(rid, publisher.key())
}

/** REDUCE: `{"n","sum"}` over the field `value`. */
export function sum(acc: i32, rid: i32): i32 {
  const value = event.parse(rid).get('value').asInteger()
  const before = acc == 0 ? 0 : event.parse(acc).get('sum').asInteger()
  const n = acc == 0 ? 0 : event.parse(acc).get('n').asInteger()
  return answer(rid, '{"n":' + (n + 1).toString() + ',"sum":' + (before + value).toString() + '}')
}

/** REDUCE: all payloads behind each other. */
export function join(acc: i32, rid: i32): i32 {
  const before = acc == 0 ? '' : event.text(acc) + ','
  return answer(rid, before + event.text(rid))
}

/** REDUCE: how many. */
export function count(acc: i32, rid: i32): i32 {
  const before = acc == 0 ? 0 : I32.parseInt(event.text(acc))
  return answer(rid, (before + 1).toString())
}

export function negative(rid: i32): i32 {
  return -7
}

export function negativeReduce(acc: i32, rid: i32): i32 {
  return acc == 0 ? rid : -1
}

export function wrongRid(rid: i32): i32 {
  return rid ^ 1
}

/** Writes a key, then traps on the payload `trap`. */
export function mayTrap(rid: i32): i32 {
  const text = event.text(rid)
  kv.setText('seen', text)
  log.info('saw ' + text)
  if (text == 'trap') unreachable()
  return rid
}

/** REDUCE that traps on the payload `trap`. */
export function trapReduce(acc: i32, rid: i32): i32 {
  if (event.text(rid) == 'trap') unreachable()
  return rid
}

/** REDUCE that grows eightfold each time. */
export function grow(acc: i32, rid: i32): i32 {
  const text = acc == 0 ? event.text(rid) : event.text(acc)
  return answer(rid, text.repeat(8))
}

export function loop(rid: i32): i32 {
  while (true) {}
  return rid
}

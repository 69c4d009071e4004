// Operators of a flow, well-behaved and hostile; compiled by flow.test.ts.
import { event, json, kv, log, publisher } from '@w3bstream/applet-sdk'

export { alloc } from '@w3bstream/applet-sdk'

function answer(rid: i32, text: string): i32 {
  event.replaceText(rid, text)
  return rid
}

/** FILTER: whether there is a value. */
export function hasValue(rid: i32): i32 {
  return answer(rid, event.parse(rid).get('value').exists ? 'TRUE' : 'false')
}

/** MAP: with the device and ten times the value. */
export function tenfold(rid: i32): i32 {
  const reading = event.parse(rid)
  const device = publisher.publisherKey(rid)
  const value = reading.get('value').toI64() * 10
  return answer(
    rid,
    new json.ObjectWriter()
      .text('device', device === null ? 'nobody' : device)
      .i64('value', value)
      .toString(),
  )
}

/** GROUP by the device. */
export function byDevice(rid: i32): i32 {
  return answer(rid, event.parse(rid).get('device').toText())
}

/** REDUCE: how many, and their sum. */
export function sum(acc: i32, rid: i32): i32 {
  const reading = event.parse(rid)
  const before = acc == 0 ? json.parse('{}') : event.parse(acc)
  return answer(
    rid,
    new json.ObjectWriter()
      .text('device', reading.get('device').toText())
      .i64('n', before.get('n').toI64() + 1)
      .i64('sum', before.get('sum').toI64() + reading.get('value').toI64())
      .toString(),
  )
}

/** Under a number of its own. */
export function otherRid(rid: i32): i32 {
  event.replaceText(77, 'other')
  return 77
}

export function wrongRid(rid: i32): i32 {
  return rid ^ 1
}

/** Keeps a key and a log line, then traps on the payload `trap`. */
export function mayTrap(rid: i32): i32 {
  const text = event.text(rid)
  kv.setText('seen', text)
  log.info('saw ' + text)
  if (text == 'trap') unreachable()
  return rid
}

/** MAP: the key that {@link mayTrap} kept. */
export function seen(rid: i32): i32 {
  const text = kv.getText('seen')
  return answer(rid, text === null ? 'nothing' : text)
}

/** Logs what came, as a strategy. */
export function start(rid: i32): i32 {
  log.info('got ' + event.text(rid))
  return 0
}

/** REDUCE: all payloads. */
export function join(acc: i32, rid: i32): i32 {
  const before = acc == 0 ? '' : event.text(acc) + ','
  return answer(rid, before + event.text(rid))
}

/** FLATMAP: words. */
export function words(rid: i32): i32 {
  return answer(rid, '["' + event.text(rid).split(' ').join('","') + '"]')
}

export function loop(rid: i32): i32 {
  while (true) {}
  return rid
}

/** GROUP by the payload. */
export function itself(rid: i32): i32 {
  return rid
}

/** MAP: does not end on the payload `stop`. */
export function loopOnStop(rid: i32): i32 {
  const stop = event.text(rid) == 'stop'
  while (stop) {}
  return rid
}

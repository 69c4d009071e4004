/** Operators of a flow: the mean of what was measured in a window. */
import { event, flow, json } from '@w3bstream/applet-sdk'

/** FILTER: a reading has a number. */
export function isReading(rid: i32): i32 {
  return flow.keep(rid, !isNaN(event.parse(rid).get('value').toF64()))
}

/** FLATMAP: a message with several readings. */
export function readings(rid: i32): i32 {
  const list = event.parse(rid).get('values')
  const payloads: string[] = []
  for (let i = 0; i < list.length; i++) payloads.push(new json.ObjectWriter().f64('value', list.at(i).toF64()).toString())
  return flow.spread(rid, payloads)
}

/** REDUCE: count, sum and mean. */
export function mean(acc: i32, rid: i32): i32 {
  const before = flow.accumulated(acc)
  const count = before.get('count').toI64() + 1
  const sum = before.get('sum').toF64(0) + event.parse(rid).get('value').toF64(0)
  const result = new json.ObjectWriter().i64('count', count).f64('sum', sum).f64('mean', sum / f64(count))
  return flow.answer(rid, result.toString())
}

/** Operators of a stream flow: what each device measured, as its mean of every ten seconds. */
import { event, json, log, publisher, sql } from '@w3bstream/applet-sdk'

export { alloc } from '@w3bstream/applet-sdk'

function answer(rid: i32, text: string): i32 {
  event.replaceText(rid, text)
  return rid
}

/** FILTER: a reading has a number. */
export function isReading(rid: i32): i32 {
  return answer(rid, isNaN(event.parse(rid).get('value').toF64()) ? 'false' : 'true')
}

/** MAP: the value with the device that sent it. */
export function withDevice(rid: i32): i32 {
  const value = event.parse(rid).get('value').toF64()
  const device = publisher.publisherKey(rid)
  return answer(
    rid,
    new json.ObjectWriter()
      .text('device', device === null ? 'nobody' : device)
      .f64('value', value)
      .toString(),
  )
}

/** GROUP: the key is the device. */
export function deviceOf(rid: i32): i32 {
  return answer(rid, event.parse(rid).get('device').toText())
}

/** REDUCE: number, sum and mean. `acc` is 0 for the first reading of a window. */
export function mean(acc: i32, rid: i32): i32 {
  const before = json.parse(acc == 0 ? '{}' : event.text(acc))
  const reading = event.parse(rid)
  const count = before.get('count').toI64() + 1
  const sum = before.get('sum').toF64(0) + reading.get('value').toF64(0)
  return answer(
    rid,
    new json.ObjectWriter()
      .text('device', reading.get('device').toText())
      .i64('count', count)
      .f64('sum', sum)
      .f64('mean', sum / f64(count))
      .toString(),
  )
}

/** An ordinary handler: logs all means. */
export function report(rid: i32): i32 {
  const rows = sql.query('SELECT device, count, mean FROM means ORDER BY ended, device')
  const lines: string[] = []
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]
    lines.push(row.get('device').toText() + ' ' + row.get('count').toI64().toString() + ' ' + row.get('mean').toF64().toString())
  }
  log.info('means: ' + lines.join(', '))
  return 0
}

import { event, kv, log, mqtt, publisher, sql } from '@w3bstream/applet-sdk'

/** Adds the length of the payload to a counter of the event's own choosing. */
export function count(rid: i32): i32 {
  const text = event.text(rid)
  const key = text.slice(0, 2)
  const before = kv.getI32(key)
  kv.setI32(key, before + text.length)
  if (text.length % 7 == 0) log.info('counted ' + key)
  return before % 1000
}

/** A row with what differs from call to call: clock and chance. */
export function insert(rid: i32): i32 {
  const text = event.text(rid)
  const chance = Math.random()
  const failed = sql.tryExecute('INSERT INTO readings (station, value, at_ms) VALUES (?, ?, ?)', [
    sql.textParam(text.slice(0, 1)),
    sql.f64Param(chance * 1000),
    sql.i64Param(Date.now()),
  ])
  return failed
}

/** Changes several rows, and fails as a whole now and then. */
export function change(rid: i32): i32 {
  const text = event.text(rid)
  sql.execute('UPDATE readings SET value = value * 1.1 WHERE station = ?', [sql.textParam(text.slice(0, 1))])
  sql.execute('DELETE FROM readings WHERE id < (SELECT max(id) FROM readings) - 40')
  if (text.length % 5 == 0) unreachable()
  return text.length % 3 == 0 ? -3 : 0
}

/** Reads without saying an order, and keeps what it saw. */
export function report(rid: i32): i32 {
  const rows = sql.query('SELECT station, sum(value) AS total, count(*) AS n FROM readings GROUP BY station')
  const last = sql.query('SELECT id, value FROM readings ORDER BY at_ms DESC LIMIT 3')
  let text = ''
  for (let i = 0; i < rows.length; i++) text += rows[i].get('total').toF64().toString() + ';'
  for (let i = 0; i < last.length; i++) text += last[i].get('id').toI64().toString() + ';'
  kv.setText('report', text)
  mqtt.publish('reports', text)
  return rows.length
}

/** Traps of several kinds behind writes that must not stay. */
export function fail(rid: i32): i32 {
  const text = event.text(rid)
  kv.setText('failed', text)
  if (text.length % 2 == 0) {
    const zero = text.length - text.length
    return 1 / zero
  }
  return load<i32>(0xfffffff0)
}

/** Lines and the sender. */
export function speak(rid: i32): i32 {
  const key = publisher.publisherKey(rid)
  log.warning((key ? key : 'nobody') + ' ' + event.text(rid))
  return 0
}

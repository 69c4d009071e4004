import { event, json, log, mqtt, sql } from '@w3bstream/applet-sdk'

const REFUSED = -1

/** `{"sensor": "a", "temperature": 21.5}`: keeps the reading. */
export function store(rid: i32): i32 {
  const reading = event.parse(rid)
  const sensor = reading.get('sensor').toText()
  const temperature = reading.get('temperature').toF64()
  if (sensor.length == 0 || isNaN(temperature)) {
    log.error('not a reading')
    return REFUSED
  }
  sql.execute('INSERT INTO readings (sensor, temperature) VALUES (?, ?)', [
    sql.textParam(sensor),
    sql.f64Param(temperature),
  ])
  return 0
}

/** Publishes each sensor's average to `averages/<sensor>`. */
export function report(rid: i32): i32 {
  const rows = sql.query('SELECT sensor, AVG(temperature) AS average, COUNT(*) AS n FROM readings GROUP BY sensor ORDER BY sensor')
  for (let i = 0; i < rows.length; i++) {
    const sensor = rows[i].get('sensor').toText()
    const summary = new json.ObjectWriter().f64('average', rows[i].get('average').toF64()).i64('n', rows[i].get('n').toI64())
    mqtt.publish('averages/' + sensor, summary.toString())
    log.info(sensor + ' ' + summary.toString())
  }
  return rows.length
}

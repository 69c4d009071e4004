import { event, kv, log } from '@w3bstream/applet-sdk'

/** Where the number of the station stands in the report. */
const STATION_AT = 12
const STATION_END = 16

/** Logs a station's report and keeps it as the last one of that station. */
export function report(rid: i32): i32 {
  const text = event.text(rid)
  log.info(text)
  kv.setText(text.slice(STATION_AT, STATION_END), text)
  return 0
}

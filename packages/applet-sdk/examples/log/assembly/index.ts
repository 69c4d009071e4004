import { event, log } from '@w3bstream/applet-sdk'

/** Logs what came. */
export function start(rid: i32): i32 {
  log.info('received ' + event.text(rid))
  return 0
}

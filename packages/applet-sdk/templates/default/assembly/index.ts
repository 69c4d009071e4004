import { event, kv, log } from '@w3bstream/applet-sdk'

/** Returned to the sender for a message that is not a reading; negative numbers mean refused. */
const REFUSED = -1

/**
 * Takes `{"temperature": 21.5}`, keeps the highest temperature seen and logs it.
 * A strategy of the project names this function as the handler of an event type.
 */
export function start(rid: i32): i32 {
  const temperature = event.parse(rid).get('temperature').toF64()
  if (isNaN(temperature)) {
    log.error('no temperature in ' + event.text(rid))
    return REFUSED
  }
  const highest = Math.max(temperature, kv.getF64('highest', temperature))
  kv.setF64('highest', highest)
  log.info('highest temperature ' + highest.toString())
  return 0
}

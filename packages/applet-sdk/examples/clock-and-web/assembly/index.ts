/** Asks a web server every time a cron job fires, and logs the answer. */
import { api, cron, event, log } from '@w3bstream/applet-sdk'

/** Route of the cron job's event type. */
export function due(rid: i32): i32 {
  const firing = cron.firing(rid)
  if (firing === null) return -1
  const answer = new api.Request('POST', 'https://api.example.com/weather')
    .header('Content-Type', 'application/json')
    .body('{"at":' + firing.timeMs.toString() + '}')
    .send('WEATHER')
  return answer.statusCode == 202 ? 0 : -2
}

/** Route of `WEATHER`. */
export function answered(rid: i32): i32 {
  const answer = api.parseResponse(event.text(rid))
  log.info(answer.statusCode.toString() + ' ' + answer.body)
  return answer.statusCode == 200 ? 0 : -1
}

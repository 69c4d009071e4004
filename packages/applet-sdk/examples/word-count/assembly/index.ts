import { event, kv, log } from '@w3bstream/applet-sdk'

/** Counts each word of the payload over all events, and returns how many words this one had. */
export function count(rid: i32): i32 {
  const words = event.text(rid).split(' ')
  let counted = 0
  for (let i = 0; i < words.length; i++) {
    if (words[i].length == 0) continue
    log.info(words[i] + ' ' + kv.addI32(words[i], 1).toString())
    counted++
  }
  return counted
}

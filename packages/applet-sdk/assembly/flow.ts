/**
 * Answers of flow operators. An operator answers by replacing the payload of a resource and returning the resource's number:
 * every function here does both, so that an operator ends with `return flow.…`.
 */
import { replaceText, text } from './event'
import * as json from './json'

/** MAP and REDUCE: the new payload. GROUP: the key. */
export function answer(rid: i32, payload: string): i32 {
  replaceText(rid, payload)
  return rid
}

/** FILTER: whether the element stays. */
export function keep(rid: i32, stays: bool): i32 {
  return answer(rid, stays ? 'true' : 'false')
}

/** FLATMAP: the payloads that the element becomes, each as it is. */
export function spread(rid: i32, payloads: string[]): i32 {
  const quoted = new Array<string>(payloads.length)
  for (let i = 0; i < payloads.length; i++) quoted[i] = json.quote(payloads[i])
  return answer(rid, '[' + quoted.join(',') + ']')
}

/** REDUCE: what was accumulated so far, as JSON; a value whose `exists` is false for the first element. */
export function accumulated(acc: i32): json.Value {
  return acc == 0 ? json.Value.absent : json.parse(text(acc))
}

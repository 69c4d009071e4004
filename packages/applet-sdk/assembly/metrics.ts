/** Figures of one's own among the project's metrics. */
import { refuse } from './memory'

// @ts-ignore: decorator
@external('stat', 'ws_submit_metrics')
declare function ws_submit_metrics(data: usize, size: usize): i32

/** @param object JSON, for example of `json.ObjectWriter`; a list is refused */
export function submit(object: string): void {
  const bytes = String.UTF8.encode(object)
  const code = ws_submit_metrics(changetype<usize>(bytes), bytes.byteLength)
  if (code != 0) refuse('metrics.submit', code)
}

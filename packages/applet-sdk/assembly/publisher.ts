/** The device that an event came from. What a payload says of its sender is a claim; this is what the node has checked. */
import { outPointer, outSize, refuse, takeText } from './memory'

// @ts-ignore: decorator
@external('env', 'ws_get_publisher')
declare function ws_get_publisher(rid: i32, pointer: usize, size: usize): i32
// @ts-ignore: decorator
@external('env', 'ws_is_signed')
declare function ws_is_signed(rid: i32): i32

const NO_DEVICE = 2

/** The key under which the project knows the device, or null when no device sent the event. `anonymous` stands for anybody. */
export function publisherKey(rid: i32): string | null {
  const code = ws_get_publisher(rid, outPointer(), outSize())
  if (code == NO_DEVICE) return null
  if (code != 0) refuse('publisher.publisherKey', code)
  return takeText()
}

/** Whether the device signed the event; else the node that admitted the device vouches for it. */
export function isSigned(rid: i32): bool {
  return ws_is_signed(rid) == 1
}

/**
 * How data crosses the border. To the host go an address and a size. Back come bytes in a block that the host gets from
 * {@link alloc}; its address and size are written to two cells that the call named.
 */

/** Room for the host: `size` bytes that stay until {@link takeBytes} or {@link takeText} let them go. */
export function alloc(size: usize): usize {
  return heap.alloc(size)
}

// @ts-ignore: decorator
@lazy const pointerCell: usize = memory.data(4, 4)
// @ts-ignore: decorator
@lazy const sizeCell: usize = memory.data(4, 4)

/** Address of the cell for the answer's address. One call uses the cells at a time: host calls do not nest. */
export function outPointer(): usize {
  return pointerCell
}

/** Address of the cell for the answer's size. */
export function outSize(): usize {
  return sizeCell
}

/** What the host left for the last call, copied out of its block. */
export function takeBytes(): Uint8Array {
  return takeBytesAt(load<u32>(pointerCell), load<u32>(sizeCell))
}

/** The same as UTF-8 text; what is not UTF-8 becomes replacement characters. */
export function takeText(): string {
  const size = load<u32>(sizeCell)
  const address = load<u32>(pointerCell)
  const text = String.UTF8.decodeUnsafe(address, size)
  if (address != 0) heap.free(address)
  return text
}

/** Copies a block that the host filled, and frees it. */
export function takeBytesAt(address: usize, size: u32): Uint8Array {
  const bytes = new Uint8Array(size)
  memory.copy(bytes.dataStart, address, size)
  if (address != 0) heap.free(address)
  return bytes
}

/** Ends the call because a host function refused. The line reaches the project's log, what the handler wrote is undone. */
export function refuse(what: string, code: i32): void {
  throw new Error(what + ' was refused: ' + codeName(code))
}

/** A host function's answer in words. */
export function codeName(code: i32): string {
  switch (code) {
    case 0: return 'ok'
    case 2: return 'not found'
    case 5: return 'no room for the answer'
    case 6: return 'the request is outside of memory'
    case 7: return 'the host failed'
    case 8: return 'no such environment value'
    case 9: return 'the project has no database'
    case 10: return 'a parameter is wrong'
    default: return 'code ' + code.toString()
  }
}

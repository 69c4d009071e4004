import binaryen from 'binaryen'

/** Assembles a module from WebAssembly text, for tests. */
export function assemble(text: string): Uint8Array {
  const module = binaryen.parseText(text)
  try {
    module.setFeatures(binaryen.Features.All)
    return module.emitBinary()
  } finally {
    module.dispose()
  }
}

/** An allocator that never frees, for modules whose memory has a page or more; it begins at 32 KiB. */
export const bumpAlloc = `
  (global $heap (mut i32) (i32.const 32768))
  (func $alloc (export "alloc") (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (global.get $heap))
    (global.set $heap (i32.add (local.get $at) (local.get $size)))
    (local.get $at))`

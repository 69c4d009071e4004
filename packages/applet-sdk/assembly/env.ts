/** Values that the project's owner set for its applets. */
import { outPointer, outSize, refuse, takeText } from './memory'

// @ts-ignore: decorator
@external('env', 'ws_get_env')
declare function ws_get_env(key: usize, keySize: usize, pointer: usize, size: usize): i32

const NOT_SET = 8

/** The value, or null when it is not set. */
export function get(name: string): string | null {
  const key = String.UTF8.encode(name)
  const code = ws_get_env(changetype<usize>(key), key.byteLength, outPointer(), outSize())
  if (code == NOT_SET) return null
  if (code != 0) refuse('env.get ' + name, code)
  return takeText()
}

/** The value; ends the call when it is not set. */
export function need(name: string): string {
  const value = get(name)
  if (value == null) throw new Error('the project has no environment value ' + name)
  return value
}

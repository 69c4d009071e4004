/**
 * The applet's key-value store: survives from event to event. Writes of a handler that fails are undone. Numbers are kept
 * little-endian, as the other kits do, so that applets in several languages can share a store.
 */
import { outPointer, outSize, refuse, takeBytes } from './memory'

// @ts-ignore: decorator
@external('env', 'ws_get_db')
declare function ws_get_db(key: usize, keySize: usize, pointer: usize, size: usize): i32
// @ts-ignore: decorator
@external('env', 'ws_set_db')
declare function ws_set_db(key: usize, keySize: usize, value: usize, valueSize: usize): i32

/** The host's code for a key that was never written. */
const NOT_FOUND = 2

/** The value, or null for a key that was never written. An empty value is not null. */
export function getBytes(key: string): Uint8Array | null {
  const name = String.UTF8.encode(key)
  const code = ws_get_db(changetype<usize>(name), name.byteLength, outPointer(), outSize())
  if (code == NOT_FOUND) return null
  if (code != 0) refuse('kv.get ' + key, code)
  return takeBytes()
}

export function setBytes(key: string, value: Uint8Array): void {
  const name = String.UTF8.encode(key)
  const code = ws_set_db(changetype<usize>(name), name.byteLength, value.dataStart, value.length)
  if (code != 0) refuse('kv.set ' + key, code)
}

export function has(key: string): bool {
  return getBytes(key) != null
}

export function getText(key: string): string | null {
  const bytes = getBytes(key)
  return bytes == null ? null : String.UTF8.decodeUnsafe(bytes.dataStart, bytes.length)
}

export function setText(key: string, value: string): void {
  setBytes(key, Uint8Array.wrap(String.UTF8.encode(value)))
}

/** The number under `key`, or `fallback` when there is none of this size. */
function getNumber<T extends number>(key: string, fallback: T): T {
  const bytes = getBytes(key)
  return bytes == null || bytes.length != sizeof<T>() ? fallback : load<T>(bytes.dataStart)
}

function setNumber<T extends number>(key: string, value: T): void {
  const bytes = new Uint8Array(sizeof<T>())
  store<T>(bytes.dataStart, value)
  setBytes(key, bytes)
}

export function getI32(key: string, fallback: i32 = 0): i32 {
  return getNumber<i32>(key, fallback)
}

export function setI32(key: string, value: i32): void {
  setNumber<i32>(key, value)
}

export function getI64(key: string, fallback: i64 = 0): i64 {
  return getNumber<i64>(key, fallback)
}

export function setI64(key: string, value: i64): void {
  setNumber<i64>(key, value)
}

export function getF64(key: string, fallback: f64 = 0): f64 {
  return getNumber<f64>(key, fallback)
}

export function setF64(key: string, value: f64): void {
  setNumber<f64>(key, value)
}

export function getBool(key: string, fallback: bool = false): bool {
  return getNumber<u8>(key, fallback ? 1 : 0) != 0
}

export function setBool(key: string, value: bool): void {
  setNumber<u8>(key, value ? 1 : 0)
}

/** Adds to a counter, which begins at 0, and returns what it has become. */
export function addI32(key: string, delta: i32): i32 {
  const sum = getI32(key) + delta
  setI32(key, sum)
  return sum
}

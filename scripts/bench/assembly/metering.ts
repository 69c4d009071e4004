// What the overhead of metering is measured on: SHA-256 over 64 KiB, parsing JSON, a product of integer matrices, and apart
// from them a loop over floats whose results are stored, and calls that do nothing but call.
const K: StaticArray<u32> = [
0x428a2f98,0x71374491,0xb5c0fbcf,0xe9b5dba5,0x3956c25b,0x59f111f1,0x923f82a4,0xab1c5ed5,0xd807aa98,0x12835b01,0x243185be,0x550c7dc3,0x72be5d74,0x80deb1fe,0x9bdc06a7,0xc19bf174,0xe49b69c1,0xefbe4786,0x0fc19dc6,0x240ca1cc,0x2de92c6f,0x4a7484aa,0x5cb0a9dc,0x76f988da,0x983e5152,0xa831c66d,0xb00327c8,0xbf597fc7,0xc6e00bf3,0xd5a79147,0x06ca6351,0x14292967,0x27b70a85,0x2e1b2138,0x4d2c6dfc,0x53380d13,0x650a7354,0x766a0abb,0x81c2c92e,0x92722c85,0xa2bfe8a1,0xa81a664b,0xc24b8b70,0xc76c51a3,0xd192e819,0xd6990624,0xf40e3585,0x106aa070,0x19a4c116,0x1e376c08,0x2748774c,0x34b0bcb5,0x391c0cb3,0x4ed8aa4a,0x5b9cca4f,0x682e6ff3,0x748f82ee,0x78a5636f,0x84c87814,0x8cc70208,0x90befffa,0xa4506ceb,0xbef9a3f7,0xc67178f2]
const W = new StaticArray<u32>(64)
const H = new StaticArray<u32>(8)
const data = new Uint8Array(65536)
function compress(p: usize): void {
  for (let i = 0; i < 16; i++) W[i] = bswap(load<u32>(p + (<usize>i << 2)))
  for (let i = 16; i < 64; i++) {
    const a = W[i - 15], b = W[i - 2]
    W[i] = W[i - 16] + (rotr(a, 7) ^ rotr(a, 18) ^ (a >> 3)) + W[i - 7] + (rotr(b, 17) ^ rotr(b, 19) ^ (b >> 10))
  }
  let a = H[0], b = H[1], c = H[2], d = H[3], e = H[4], f = H[5], g = H[6], h = H[7]
  for (let i = 0; i < 64; i++) {
    const t1 = h + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + W[i]
    const t2 = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))
    h = g; g = f; f = e; e = d + t1; d = c; c = b; b = a; a = t1 + t2
  }
  H[0] += a; H[1] += b; H[2] += c; H[3] += d; H[4] += e; H[5] += f; H[6] += g; H[7] += h
}
export function sha256(rid: i32): i32 {
  for (let i = 0; i < 8; i++) H[i] = 0x6a09e667 + i
  for (let i = 0; i < 1024; i++) compress(data.dataStart + (<usize>i << 6))
  return H[0]
}
abstract class Value {}
class Num extends Value { constructor(public value: f64) { super() } }
class Str extends Value { constructor(public value: string) { super() } }
class Bool extends Value { constructor(public value: bool) { super() } }
class Arr extends Value { items: Value[] = [] }
class Obj extends Value { entries: Map<string, Value> = new Map() }
class Parser {
  at: i32 = 0
  constructor(public text: string) {}
  space(): void { while (this.at < this.text.length && this.text.charCodeAt(this.at) <= 32) this.at++ }
  value(): Value {
    this.space()
    const c = this.text.charCodeAt(this.at)
    if (c == 0x7b) return this.object()
    if (c == 0x5b) return this.array()
    if (c == 0x22) return new Str(this.string())
    if (c == 0x74) { this.at += 4; return new Bool(true) }
    if (c == 0x66) { this.at += 5; return new Bool(false) }
    const from = this.at
    while (this.at < this.text.length) { const d = this.text.charCodeAt(this.at); if (d == 0x2c || d == 0x7d || d == 0x5d || d <= 32) break; this.at++ }
    return new Num(parseFloat(this.text.substring(from, this.at)))
  }
  string(): string { const from = ++this.at; while (this.text.charCodeAt(this.at) != 0x22) this.at++; return this.text.substring(from, this.at++) }
  array(): Value { const a = new Arr(); this.at++; this.space()
    while (this.text.charCodeAt(this.at) != 0x5d) { a.items.push(this.value()); this.space(); if (this.text.charCodeAt(this.at) == 0x2c) this.at++; this.space() }
    this.at++; return a }
  object(): Value { const o = new Obj(); this.at++; this.space()
    while (this.text.charCodeAt(this.at) != 0x7d) { const k = this.string(); this.space(); this.at++; o.entries.set(k, this.value()); this.space(); if (this.text.charCodeAt(this.at) == 0x2c) this.at++; this.space() }
    this.at++; return o }
}
let doc = ''
export function json(rid: i32): i32 {
  if (doc.length == 0) { const parts: string[] = []; for (let i = 0; i < 200; i++) parts.push('{"id": ' + i.toString() + ', "name": "device-' + i.toString() + '", "temperature": 21.75, "ok": true, "tags": ["a", "bc", "def"]}'); doc = '[' + parts.join(', ') + ']' }
  const v = new Parser(doc).value()
  return (v as Arr).items.length
}
const N = 96
const A = new StaticArray<i32>(N * N), B = new StaticArray<i32>(N * N), C = new StaticArray<i32>(N * N)
export function matrix(rid: i32): i32 {
  for (let i = 0; i < N * N; i++) { A[i] = i; B[i] = i ^ 5 }
  for (let i = 0; i < N; i++) for (let j = 0; j < N; j++) { let s = 0; for (let k = 0; k < N; k++) s += unchecked(A[i * N + k]) * unchecked(B[k * N + j]); unchecked(C[i * N + j] = s) }
  return C[N + 1]
}
const F = new StaticArray<f64>(4096)
export function floats(rid: i32): i32 {
  for (let i = 0; i < 4096; i++) unchecked(F[i] = <f64>i * 0.5)
  let s: f64 = 0
  for (let r = 0; r < 20; r++) for (let i = 1; i < 4095; i++) { unchecked(F[i] = (F[i - 1] + F[i] * 0.5 + F[i + 1]) * 0.4); s += unchecked(F[i]) }
  return <i32>s
}
function fib(n: i32): i32 { return n < 2 ? n : fib(n - 1) + fib(n - 2) }
export function fibonacci(rid: i32): i32 { return fib(24) }
export function alloc(size: i32): i32 { return heap.alloc(size) as i32 }

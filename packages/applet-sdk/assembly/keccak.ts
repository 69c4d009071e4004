/** Keccak-256 as Ethereum uses it (the padding of the competition, not of FIPS 202). */

const RATE = 136

// @ts-ignore: decorator
@lazy const ROUND: StaticArray<u64> = [
  0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b, 0x0000000080000001,
  0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
  0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003, 0x8000000000008002, 0x8000000000000080,
  0x000000000000800a, 0x800000008000000a, 0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
]
/** Rotations of the rho step, and the places of the pi step, along the path that pi walks. */
// @ts-ignore: decorator
@lazy const ROTATION: StaticArray<u64> = [
  1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44,
]
// @ts-ignore: decorator
@lazy const PLACE: StaticArray<i32> = [
  10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1,
]

function permute(state: StaticArray<u64>): void {
  const column = new StaticArray<u64>(5)
  for (let round = 0; round < 24; round++) {
    for (let x = 0; x < 5; x++) {
      column[x] = state[x] ^ state[x + 5] ^ state[x + 10] ^ state[x + 15] ^ state[x + 20]
    }
    for (let x = 0; x < 5; x++) {
      const mix = column[(x + 4) % 5] ^ rotl<u64>(column[(x + 1) % 5], 1)
      for (let y = 0; y < 25; y += 5) state[x + y] ^= mix
    }
    let carried = state[1]
    for (let step = 0; step < 24; step++) {
      const place = PLACE[step]
      const kept = state[place]
      state[place] = rotl<u64>(carried, ROTATION[step])
      carried = kept
    }
    for (let y = 0; y < 25; y += 5) {
      for (let x = 0; x < 5; x++) column[x] = state[y + x]
      for (let x = 0; x < 5; x++) state[y + x] = column[x] ^ (~column[(x + 1) % 5] & column[(x + 2) % 5])
    }
    state[0] ^= ROUND[round]
  }
}

/** 32 bytes. */
export function keccak256(data: Uint8Array): Uint8Array {
  const padded = new Uint8Array((data.length / RATE + 1) * RATE)
  padded.set(data)
  padded[data.length] = 0x01
  padded[padded.length - 1] |= 0x80
  const state = new StaticArray<u64>(25)
  for (let block = 0; block < padded.length; block += RATE) {
    for (let lane = 0; lane < RATE / 8; lane++) state[lane] ^= load<u64>(padded.dataStart + block + lane * 8)
    permute(state)
  }
  const hash = new Uint8Array(32)
  for (let lane = 0; lane < 4; lane++) store<u64>(hash.dataStart + lane * 8, state[lane])
  return hash
}

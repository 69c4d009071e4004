/** Rights of WASI preview 1, one bit each. Those of reading and writing decide; the others are told, not enforced. */
export const rights = {
  read: 1n << 1n,
  write: 1n << 6n,
  /** All that a descriptor of a file may have. */
  ofFile: 0x08e0_01ffn,
  /** All that a descriptor of a directory may have. */
  ofDirectory: 0x07bf_fe18n,
  all: 0x1fff_ffffn,
  /** Those that change something. */
  changing: 0x07db_1f40n,
} as const

/** Entries of one kind that a batch may have. */
export const rowsPerBatch = 2 ** 20

/**
 * The number under which an entry of a batch is stored: `height · 2^20 + index`. A safe integer up to height 2^33: 27 years
 * of ten batches per second.
 * @throws RangeError when the index or height does not fit
 */
export function rowNumber(height: bigint, index: number): number {
  const row = Number(height) * rowsPerBatch + index
  if (index < 0 || index >= rowsPerBatch || !Number.isSafeInteger(row))
    throw new RangeError(`entry ${index} of batch ${height}: at most 2^20 entries per batch, 2^33 batches`)
  return row
}

export function heightOf(row: number): bigint {
  return BigInt(Math.floor(row / rowsPerBatch))
}

export function indexOf(row: number): number {
  return row % rowsPerBatch
}

import { verifyReceiptFile } from '@w3bstream/protocol'
import { expect } from 'vitest'
import type { Management, ReceiptRow } from './management.ts'
import { until } from './until.ts'

/** Checks that the batches of a project follow each other without a gap. @returns all receipts */
export async function expectContiguous(admin: Management, project: string): Promise<readonly ReceiptRow[]> {
  const receipts = await admin.receipts(project)
  const heights = [...new Set(receipts.map(({ height }) => Number(height)))].sort((a, b) => a - b)
  expect(heights).toEqual(Array.from({ length: heights.length }, (_, i) => i + 1))
  return receipts
}

/** Checks receipts as somebody does who has only the file, certificate included. */
export async function expectVerifiable(
  admin: Management,
  project: string,
  messageIds: readonly string[],
): Promise<void> {
  for (const messageId of messageIds) {
    // The certificate is written a moment after the batch.
    const file = await until(`the certificate of ${messageId}`, async () => {
      const found = await admin.receiptFile(project, messageId)
      return found.certificate !== undefined && found
    })
    const failed = verifyReceiptFile(file).filter(({ passed }) => !passed)
    expect(failed).toEqual([])
  }
}

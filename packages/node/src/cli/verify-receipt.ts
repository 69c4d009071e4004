import { readFile, stat } from 'node:fs/promises'
import { type Hex, type ReceiptCheck, verifyReceiptFile } from '@w3bstream/protocol'
import { CliError } from './errors.ts'

/** Longest receipt file that is read, bytes: the largest message and its batch's paths, in hexadecimal. */
const sizeLimitBytes = 32 * 1024 * 1024

/**
 * Checks a receipt file without a node.
 * @param members addresses that may sign; undefined: those that the file names
 * @throws CliError CLI_FILE; ProtocolError when it is no receipt at all
 */
export async function verifyReceipt(
  path: string,
  members: readonly Hex[] | undefined,
): Promise<readonly ReceiptCheck[]> {
  return verifyReceiptFile(await readJson(path), members ? { members } : {})
}

async function readJson(path: string): Promise<unknown> {
  try {
    const { size } = await stat(path)
    if (size > sizeLimitBytes) throw new RangeError(`larger than ${sizeLimitBytes} bytes`)
    return JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    throw new CliError({ code: 'CLI_FILE', file: path, detail: (error as Error).message }, { cause: error })
  }
}

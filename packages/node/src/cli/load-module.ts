import { readFile } from 'node:fs/promises'
import { CliError } from './errors.ts'

/** Longest module or asset that is read, bytes; the node has a limit of its own. */
const moduleLimitBytes = 256 * 1024 * 1024

/** @throws CliError CLI_FILE */
export async function readBinary(path: string): Promise<Uint8Array> {
  try {
    const bytes = await readFile(path)
    if (bytes.length <= moduleLimitBytes) return bytes
  } catch (error) {
    throw new CliError({ code: 'CLI_FILE', file: path, detail: (error as Error).message }, { cause: error })
  }
  throw new CliError({ code: 'CLI_FILE', file: path, detail: `larger than ${moduleLimitBytes} bytes` })
}

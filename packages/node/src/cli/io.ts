import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

/** What a command reads from and writes to; tests hand in their own. */
export interface CliIo {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  out(text: string): void
  err(text: string): void
  /** A person can be asked: standard input and output are terminals, and this is no CI. */
  readonly interactive: boolean
  /** Colours text for standard output, or for standard error; plain into pipes and under NO_COLOR. */
  style(style: Style, text: string, target?: 'out' | 'err'): string
  /** All of standard input. */
  readInput(limitBytes: number): Promise<Uint8Array>
}

/** The process's own streams. */
export function processIo(): CliIo {
  const { env, stdin, stdout, stderr } = process
  return {
    env,
    cwd: process.cwd(),
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    interactive: Boolean(stdin.isTTY && stdout.isTTY && !env.CI),
    style: (style, text, target = 'out') =>
      styleText(style, text, { stream: target === 'out' ? stdout : stderr, validateStream: true }),
    readInput: (limitBytes) => readAll(stdin, limitBytes),
  }
}

async function readAll(stream: AsyncIterable<Uint8Array>, limitBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream) {
    size += chunk.length
    if (size > limitBytes) throw new RangeError(`standard input has more than ${limitBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

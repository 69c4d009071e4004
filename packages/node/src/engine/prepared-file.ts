import { Reader, Writer } from '@w3bstream/protocol'
import type { PreparedModule } from './engine.ts'
import { engineVersion } from './module/prepared-format.ts'

/** Under which name a prepared module is kept beside its original: another version of the engine looks for another name. */
export const preparedName = `prepared-${engineVersion}`

const limits = { names: 20_000, nameBytes: 65_536, moduleBytes: 128 * 1024 * 1024 }

/** A prepared module as one file, so that the next start need not prepare it again. */
export function encodePrepared({ codeHash, bytes, handlers, reducers, imports }: PreparedModule): Uint8Array {
  const writer = new Writer(bytes.length + 4096).text(codeHash)
  for (const names of [handlers, reducers, imports]) {
    writer.uint(names.length)
    for (const name of names) writer.text(name)
  }
  return writer.bytes(bytes).finish()
}

/** @throws ProtocolError on anything but what {@link encodePrepared} wrote */
export function decodePrepared(file: Uint8Array): PreparedModule {
  const reader = new Reader(file)
  const codeHash = reader.text('codeHash', 64)
  const names = (field: string): string[] => {
    const count = Math.min(reader.uint(), limits.names)
    return Array.from({ length: count }, () => reader.text(field, limits.nameBytes))
  }
  const [handlers, reducers, imports] = [names('handler'), names('reducer'), names('import')]
  const bytes = reader.bytes('module', limits.moduleBytes)
  reader.end()
  return { codeHash, bytes, handlers, reducers, imports }
}

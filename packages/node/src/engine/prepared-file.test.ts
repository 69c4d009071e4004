import { readFileSync } from 'node:fs'
import { ProtocolError } from '@w3bstream/protocol'
import { describe, expect, it } from 'vitest'
import { createEngine } from './index.ts'
import { decodePrepared, encodePrepared } from './prepared-file.ts'
import { RecordingHost, testCall } from './testing/recording-host.ts'

const guest = readFileSync(new URL('../../test/interop/guests/fixtures/rust_log.wasm', import.meta.url))

describe('a prepared module as a file', () => {
  const engine = createEngine()
  const prepared = engine.prepare(guest)
  const file = encodePrepared(prepared)

  it('is read back as it was, and runs', () => {
    const read = decodePrepared(file)
    expect(read).toEqual({ ...prepared, bytes: expect.anything() })
    expect(Buffer.compare(read.bytes, prepared.bytes)).toBe(0)
    const run = (module: typeof prepared) =>
      engine.load(module, { mayBlock: false }).call(testCall(prepared.handlers[0]!, new RecordingHost()))
    expect(run(read)).toEqual(run(prepared))
  })

  it('is refused when it is cut or longer', () => {
    expect(() => decodePrepared(file.subarray(0, file.length - 1))).toThrow(ProtocolError)
    expect(() => decodePrepared(Buffer.concat([file, Buffer.of(0)]))).toThrow(ProtocolError)
  })
})

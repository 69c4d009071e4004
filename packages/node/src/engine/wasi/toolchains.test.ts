import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createEngine } from '../inline/inline-engine.ts'
import { RecordingHost, testCall } from '../testing/recording-host.ts'
import { type FixedFile, MemoryRecords } from './files/memory-records.ts'
import type { FileRecords } from './files/records.ts'

/** Guests that use files as their languages' standard libraries do; sources in `test/interop/guests`. */
const fixtures = new URL('../../../test/interop/guests/fixtures/', import.meta.url)
const engine = createEngine()

const fixed = (path: string, text: string): FixedFile => ({ path, size: text.length, read: () => Buffer.from(text) })

/** The same records, answered later. */
function later(records: FileRecords): FileRecords {
  return {
    get: async (space, key) => records.get(space, key),
    entries: async (prefix, limit) => records.entries(prefix, limit),
    put: (space, key, value) => records.put(space, key, value),
    hold: (bytes) => records.hold(bytes),
  }
}

describe.each([
  ['rust_files', 'at once'],
  ['c_files', 'at once'],
  ['go_files', 'at once'],
  ['rust_files', 'later'],
  ['c_files', 'later'],
  ['go_files', 'later'],
])('%s over a store that answers %s', (name, when) => {
  const prepared = engine.prepare(readFileSync(new URL(`${name}.wasm`, fixtures)))
  const module = engine.load(prepared, { mayBlock: when === 'later' ? new Set(['files']) : false })
  const data = new MemoryRecords()

  async function call(handler: string, payload = ''): Promise<readonly (string | number)[]> {
    const host = new RecordingHost()
    host.assets = [fixed('words.txt', 'to\nbe\n')]
    host.input = [fixed('payload', payload), fixed('event.json', '{}')]
    host.data = when === 'later' ? later(data) : data
    const outcome = await module.call(testCall(handler, host))
    const lines = host.lines.filter((line) => line.startsWith('4 ')).map((line) => line.replace('4 wasmCode ', ''))
    return [outcome.type === 'returned' ? outcome.code : outcome.error, ...lines]
  }

  it('reads assets and input, and keeps a journal', async () => {
    expect(await call('keep_journal', 'one')).toEqual([0, 'one to,be'])
    expect(await call('keep_journal', 'two')).toEqual([0, 'one,two to,be'])
    expect(await call('list_data')).toEqual([0, 'journal/'])
  })

  it('seeks, cuts, renames, lists and removes', async () => {
    expect(await call('juggle_files')).toEqual([0, 'World hello 5 a/ h h'])
    expect(await call('juggle_files')).toEqual([0, 'World hello 5 a/ h h'])
  })

  it('does not get out of its directories', async () => {
    expect(await call('try_to_escape')).toEqual([0, Array(7).fill('refused').join(' ')])
  })
})

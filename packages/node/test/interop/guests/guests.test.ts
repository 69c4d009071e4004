import { readFileSync } from 'node:fs'
import { ConsoleStdout, File, OpenFile, WASI } from '@bjorn3/browser_wasi_shim'
import { describe, expect, it } from 'vitest'
import { webAssembly } from '../webassembly.ts'

/** Handlers of each fixture, as the README of this folder lists them. */
const guests: Record<string, readonly string[]> = {
  rust_log: ['start', 'refuse', 'crash', 'replace'],
  rust_kv_sql: ['count_words', 'store_words', 'query', 'read_key', 'read_env'],
  rust_tx: ['send', 'send_as', 'call', 'publish', 'read_mqtt', 'hello', 'metrics'],
  rust_wasi: ['handle_report', 'tell_time', 'draw', 'look_around', 'print', 'leave', 'crash'],
  c_sensor: ['handle_reading', 'was_initialised', 'count_calls'],
  go_log: ['start', 'count_calls', 'count_words', 'read_words'],
  go_flow: ['filterAge', 'mapTax', 'groupByCity', 'sumAges'],
  rust_files: ['keep_journal', 'juggle_files', 'try_to_escape', 'write_and_crash', 'list_data'],
  c_files: ['keep_journal', 'juggle_files', 'try_to_escape', 'write_and_crash', 'list_data'],
  go_files: ['keep_journal', 'juggle_files', 'try_to_escape', 'write_and_crash', 'list_data'],
  loop: ['spin', 'spin_calling', 'pass'],
  bomb: ['grow', 'measure', 'pages'],
  recurse: ['recurse', 'reenter'],
  logflood: ['many', 'long_line', 'odd'],
  badptr: ['wild_inputs', 'wild_outputs', 'bad_json', 'foreign_rid'],
  badalloc: ['alloc_outside', 'alloc_traps', 'alloc_calls_host'],
}

type Handler = (argument: number) => number

/** Enough of a host to see that a guest is alive: log, payload and KV. Everything else answers −1. */
function instantiate(name: string, payload = ''): { run: (handler: string) => number; alloc: Handler; log: string[] } {
  const module = new webAssembly.Module(readFileSync(new URL(`fixtures/${name}.wasm`, import.meta.url)))
  const log: string[] = []
  const kv = new Map<string, Uint8Array>()
  const quiet = new ConsoleStdout(() => undefined)
  const wasi = new WASI([], [], [new OpenFile(new File([])), quiet, quiet], { debug: false })
  const memory = () => instance.exports.memory as { buffer: ArrayBuffer }
  const bytes = (ptr: number, size: number) => new Uint8Array(memory().buffer, ptr >>> 0, size).slice()
  const text = (ptr: number, size: number) => new TextDecoder().decode(bytes(ptr, size))
  const give = (data: Uint8Array, pp: number, ps: number) => {
    const ptr = (instance.exports.alloc as Handler)(data.length)
    new Uint8Array(memory().buffer).set(data, ptr)
    const view = new DataView(memory().buffer)
    view.setUint32(pp, ptr, true)
    view.setUint32(ps, data.length, true)
    return 0
  }
  const known: Record<string, (...numbers: number[]) => number> = {
    ws_log: (_level, ptr, size) => {
      log.push(text(ptr!, size!))
      return 0
    },
    ws_get_data: (_rid, pp, ps) => give(new TextEncoder().encode(payload), pp!, ps!),
    ws_set_db: (key, keySize, ptr, size) => {
      kv.set(text(key!, keySize!), bytes(ptr!, size!))
      return 0
    },
    ws_get_db: (key, keySize, pp, ps) => {
      const value = kv.get(text(key!, keySize!))
      return value === undefined ? 2 : give(value, pp!, ps!)
    },
  }
  const answering = new Proxy(known, { get: (target, key) => target[key as string] ?? (() => -1) })
  const instance = new webAssembly.Instance(module, {
    env: answering,
    stat: answering,
    wasi_snapshot_preview1: wasi.wasiImport,
  })
  wasi.inst = instance as unknown as typeof wasi.inst
  ;(instance.exports._initialize as (() => void) | undefined)?.()
  const run = (handler: string) => (instance.exports[handler] as Handler)(1)
  return { run, alloc: instance.exports.alloc as Handler, log }
}

describe('guest fixtures', () => {
  it.each(Object.entries(guests))('%s compiles and exports what its README promises', (name, handlers) => {
    const module = new webAssembly.Module(readFileSync(new URL(`fixtures/${name}.wasm`, import.meta.url)))
    const exported = webAssembly.Module.exports(module).map((entry) => `${entry.name}:${entry.kind}`)
    expect(exported).toEqual(
      expect.arrayContaining(['memory:memory', ...['alloc', ...handlers].map((handler) => `${handler}:function`)]),
    )
    for (const { module: from, name: imported } of webAssembly.Module.imports(module)) {
      expect(`${from}.${imported}`).toMatch(/^(env\.ws_|stat\.ws_|wasi_snapshot_preview1\.)/)
    }
  })

  it.each(Object.keys(guests))('%s gives memory to the host', (name) => {
    const { alloc } = instantiate(name)
    expect(alloc(16)).not.toBe(0)
  })

  it('rust_log logs its payload and traps when asked', () => {
    const { run, log } = instantiate('rust_log', 'grüezi')
    expect(run('start')).toBe(0)
    expect(run('refuse')).toBe(-7)
    expect(() => run('crash')).toThrow(webAssembly.RuntimeError)
    expect(log).toEqual(['grüezi', 'refused', 'before the crash'])
  })

  it('rust_kv_sql counts words, and says when there is no database', () => {
    const { run, log } = instantiate('rust_kv_sql', 'to be or not to be')
    expect(run('count_words')).toBe(0)
    expect(log.at(-1)).toBe('be=2')
    expect(run('store_words')).toBe(-1)
  })

  it('rust_wasi summarises readings and refuses broken JSON', () => {
    const readings = [3, 1, 2].map((value) => ({ name: 't', value }))
    const { run, log } = instantiate('rust_wasi', JSON.stringify({ device: 'd1', readings }))
    expect(run('handle_report')).toBe(0)
    expect(run('look_around')).toBe(0)
    expect(log).toEqual(['d1 t: n=3 mean=2.000 median=2.000 deviation=0.816', 'args=0 env=0 file=refused'])
    expect(instantiate('rust_wasi', '{"device":').run('handle_report')).toBe(-10)
  })

  it('c_sensor reads a number, and its constructor ran in _initialize', () => {
    const { run, log } = instantiate('c_sensor', '{"id":"a","temperature" : 21.456}')
    expect(run('was_initialised')).toBe(1)
    expect(run('handle_reading')).toBe(0)
    expect(log).toEqual(['temperature 21.46, highest 21.46'])
    expect(instantiate('c_sensor', '{"temperature":"warm"}').run('handle_reading')).toBe(-1)
  })

  it('go_log takes callbacks into alloc and runs goroutines', () => {
    const { run, log } = instantiate('go_log', 'one two three')
    expect(run('start')).toBe(0)
    expect(run('count_words')).toBe(3)
    expect(run('read_words')).toBe(0)
    expect(log).toEqual(['one two three', '3'])
  })
})

import { Writer } from '@w3bstream/protocol'
import { describe, expect, it, vi } from 'vitest'
import type { ProjectTransaction } from '../database/database.ts'
import { WriteSet } from './write-set.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

function store(content: Record<string, string> = {}) {
  const kvGet = vi.fn((namespace: string, key: string) => {
    const value = content[`${namespace}/${key}`]
    return value === undefined ? undefined : bytes(value)
  })
  return { kvGet } as unknown as ProjectTransaction & { kvGet: typeof kvGet }
}

describe('write set', () => {
  it('reads its own writes first, then those of handlers before, then the store, once', () => {
    const transaction = store({ 'a/k': 'stored' })
    const writes = new WriteSet()
    expect(writes.get(transaction, 'a', 'k')).toEqual(bytes('stored'))
    void writes.get(transaction, 'a', 'k')
    void writes.get(transaction, 'a', 'missing')
    expect(writes.get(transaction, 'a', 'missing')).toBeUndefined()
    expect(transaction.kvGet).toHaveBeenCalledTimes(2)
    writes.put('a', 'k', bytes('first'))
    writes.keep(new Writer())
    writes.put('a', 'k', bytes('second'))
    expect(writes.get(transaction, 'a', 'k')).toEqual(bytes('second'))
    writes.drop()
    expect(writes.get(transaction, 'a', 'k')).toEqual(bytes('first'))
  })

  it('remembers no more of what was read than it has room for', () => {
    const value = 'x'.repeat(20 * 1024 * 1024)
    const transaction = store({ 'a/1': value, 'a/2': value })
    const writes = new WriteSet()
    for (const key of ['1', '2', '1', '2']) expect(writes.get(transaction, 'a', key)).toHaveLength(value.length)
    expect(transaction.kvGet.mock.calls.map(([, key]) => key)).toEqual(['1', '2', '2'])
  })

  it('drops what a failed handler wrote, and nothing else', () => {
    const writes = new WriteSet()
    writes.put('a', 'kept', bytes('1'))
    writes.keep(new Writer())
    writes.put('a', 'dropped', bytes('2'))
    writes.drop()
    expect(writes.entries()).toEqual([{ namespace: 'a', key: 'kept', value: bytes('1') }])
  })

  it('separates name spaces', () => {
    const writes = new WriteSet()
    writes.put('a', 'k', bytes('1'))
    expect(writes.get(store(), 'b', 'k')).toBeUndefined()
  })

  it('digests kept writes in their order, the overwritten ones too', () => {
    const digestOf = (...values: string[]) => {
      const digest = new Writer()
      const writes = new WriteSet()
      for (const value of values) writes.put('a', 'k', bytes(value))
      writes.keep(digest)
      return digest.finish()
    }
    expect(digestOf('1', '2')).not.toEqual(digestOf('2'))
    expect(digestOf('1', '2')).not.toEqual(digestOf('2', '1'))
    expect(digestOf()).toHaveLength(0)
  })

  it('waits for a store that answers later', async () => {
    const transaction = { kvGet: () => Promise.resolve(bytes('later')) } as unknown as ProjectTransaction
    const writes = new WriteSet()
    await expect(writes.get(transaction, 'a', 'k')).resolves.toEqual(bytes('later'))
    expect(writes.get(transaction, 'a', 'k')).toEqual(bytes('later'))
  })
})

import type { ProjectKey } from '@w3bstream/protocol'
import { describe, expect, it } from 'vitest'
import type { ProjectReader, ProjectTip } from '../database/database.ts'
import { SharedReaders } from './shared-readers.ts'

const tip: ProjectTip = { height: 1n, batchHash: new Uint8Array(32), stateDigest: new Uint8Array(32), timeMs: 0 }

/** Counts open files; a closed one answers nothing. */
class Files {
  open = 0
  opened = 0
  readonly held: (() => void)[] = []
  hold = false

  openReader(project: ProjectKey): ProjectReader {
    if (project === '0xgone') throw new Error('no such file')
    let closed = false
    this.open++
    this.opened++
    const answer = async () => {
      if (this.hold) await new Promise<void>((resolve) => this.held.push(resolve))
      if (closed) throw new Error('closed')
      return tip
    }
    const close = () => {
      if (!closed) this.open--
      closed = true
    }
    return { tip: answer, close } as unknown as ProjectReader
  }
}

const key = (n: number): ProjectKey => `0x${n}`

describe('shared readers', () => {
  it('answer whoever holds one, though its files were closed for others', async () => {
    const files = new Files()
    const readers = new SharedReaders({ openReaders: 2, idleReaderMs: 60_000 }, files)
    const held = await Promise.all([1, 2, 3, 4].map((n) => readers.reader(key(n))))
    for (let round = 0; round < 3; round++) for (const reader of held) expect(await reader.tip()).toEqual(tip)
    expect(files.open).toBe(2)
    await readers.stop()
    expect(files.open).toBe(0)
  })

  it('close no file under a question', async () => {
    const files = new Files()
    const readers = new SharedReaders({ openReaders: 1, idleReaderMs: 60_000 }, files)
    const reader = await readers.reader(key(1))
    files.hold = true
    const answer = reader.tip()
    await readers.reader(key(2))
    const dropped = readers.drop(key(1))
    expect(files.open).toBe(2)
    await new Promise<void>((resolve) => setImmediate(resolve))
    for (const go of files.held) go()
    expect(await answer).toEqual(tip)
    await dropped
    expect(files.open).toBe(1)
  })

  it('open again a project that could not be opened', async () => {
    const files = new Files()
    const readers = new SharedReaders({ openReaders: 2, idleReaderMs: 60_000 }, files)
    await expect(readers.reader('0xgone')).rejects.toThrow('no such file')
    await readers.reader(key(1))
    expect(files.opened).toBe(1)
  })
})

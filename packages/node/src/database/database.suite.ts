import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { BatchRow, Database, ProjectStore, ProjectTransaction } from './database.ts'
import { DatabaseError } from './errors.ts'
import { batchRow, bytes, type Candidate, effectEntry, logRow, messageRow, project } from './exam.ts'

const limits = { rows: 100, bytes: 1_000_000 }
const everything = { size: -1 }

/** The exam of every backend: what `database.ts` promises. */
export function databaseSuite(candidate: Candidate): void {
  describe(`database ${candidate.name}`, () => {
    let database: Database
    let store: ProjectStore

    beforeEach(async () => {
      database = await candidate.open()
      store = await database.openProject(project)
      return async () => store.close()
    })
    afterAll(() => candidate.dispose())

    async function commit(batch: BatchRow, work?: (transaction: ProjectTransaction) => Promise<void>): Promise<void> {
      const transaction = await store.begin()
      await work?.(transaction)
      await transaction.commit(batch)
    }

    async function reopen(): Promise<void> {
      await store.close()
      database = await candidate.reopen(database)
      store = await database.openProject(project)
    }

    it('begins at height zero', async () => {
      const zeros = new Uint8Array(32)
      expect(await store.tip()).toEqual({ height: 0n, batchHash: zeros, stateDigest: zeros, timeMs: 0 })
      expect(await store.batch(1n)).toBeUndefined()
      expect(await store.messageById(zeros)).toBeUndefined()
      expect(await store.listMessages({})).toEqual({ data: [], total: 0 })
      expect(await store.outboxPending()).toEqual([])
    })

    it('gives back exactly what a batch wrote, also after reopening', async () => {
      const messages = Array.from({ length: 150 }, (_, i) => messageRow(1, i, { message: bytes(i, i) }))
      const batch = batchRow(1, { messages, logs: [logRow(0)], effects: [effectEntry(1, 0, '{"nonce":1}')] })
      await commit(batch)
      for (const _ of ['before', 'after']) {
        const { messages: __, logs: ___, effects, idempotency: ____, ...rest } = batch
        expect(await store.batch(1n)).toEqual({ ...rest, certificate: new Uint8Array() })
        expect(await store.messages(1n)).toEqual(messages)
        expect(await store.messageById(messages[70]!.id)).toEqual({ ...messages[70], height: 1n })
        expect((await store.listLogs({})).data).toMatchObject([{ ...logRow(0), height: 1n }])
        expect(await store.outboxPending()).toMatchObject([
          {
            height: 1n,
            index: 0,
            id: effects[0]!.effect.id,
            kind: 'metric',
            local: '{"nonce":1}',
            state: 'INIT',
            attempts: 0,
          },
        ])
        expect(await store.tip()).toEqual({
          height: 1n,
          batchHash: batch.hash,
          stateDigest: batch.stateDigest,
          timeMs: batch.timeMs,
        })
        await reopen()
      }
    })

    it('keeps bytes that the caller reuses', async () => {
      const id = bytes(32, 5)
      const message = bytes(20, 6)
      await commit(batchRow(1, { messages: [messageRow(1, 0, { id, message })] }))
      message.fill(0)
      expect((await store.messages(1n))[0]?.message).toEqual(bytes(20, 6))
    })

    it('finds the first batch of a time, and counts the events of batches by device', async () => {
      expect(await store.heightSince(0)).toBe(1n)
      const time = (height: number) => 1_700_000_000_000 + 10 * Math.floor(height / 2)
      for (let height = 1; height <= 5; height++) {
        const messages = [
          messageRow(height, 0, { publisherId: '1' }),
          messageRow(height, 1, { publisherId: height === 3 ? '2' : '1' }),
          messageRow(height, 2, { kind: 'timer', publisherId: '' }),
          messageRow(height, 3, { kind: 'answer', publisherId: '', eventType: '' }),
          messageRow(height, 4, { kind: 'config', publisherId: '' }),
        ]
        await commit(batchRow(height, { timeMs: time(height), messages }))
      }
      expect(await store.heightSince(time(1))).toBe(1n)
      expect(await store.heightSince(time(2))).toBe(2n)
      expect(await store.heightSince(time(3))).toBe(2n)
      expect(await store.heightSince(time(3) + 1)).toBe(4n)
      expect(await store.heightSince(time(5) + 1)).toBe(6n)
      expect(await store.countEvents(2n, 2)).toEqual(
        new Map([
          ['', 2],
          ['1', 3],
          ['2', 1],
        ]),
      )
      expect(await store.countEvents(6n, 10)).toEqual(new Map())
    })

    it('keeps text of every kind', async () => {
      const eventId = 'naïve ☃ 𝄞 "quoted" \'single\' % _ \\'
      await commit(batchRow(1, { messages: [messageRow(1, 0, { eventId })], logs: [logRow(0, { message: eventId })] }))
      expect((await store.listMessages({ eventId })).data[0]?.eventId).toBe(eventId)
      expect((await store.listLogs({})).data[0]?.message).toBe(eventId)
    })

    it('refuses a batch that does not follow', async () => {
      const transaction = await store.begin()
      await expect(async () => transaction.commit(batchRow(2))).rejects.toMatchObject({ code: 'BATCH_HEIGHT' })
      await transaction.rollback()
      await commit(batchRow(1))
      expect((await store.tip()).height).toBe(1n)
    })

    it('leaves no trace of a transaction that is rolled back', async () => {
      const transaction = await store.begin()
      await transaction.kvPut([{ namespace: 'n', key: 'k', value: bytes(3, 1) }])
      await transaction.definitionPut({ kind: 'applet', id: '1', value: '{}' })
      await transaction.sqlExecute({ statement: 'CREATE TABLE t (a int)', params: [] })
      await transaction.sqlExecute({ statement: 'INSERT INTO t VALUES (1)', params: [] })
      await transaction.rollback()
      await transaction.rollback()
      await expect(async () => transaction.kvGet('n', 'k')).rejects.toThrow()
      expect(await store.listKv({})).toEqual({ data: [], total: 0 })
      expect(await store.definition()).toEqual([])
      await expect(async () => store.query({ statement: 'SELECT * FROM t', params: [] }, limits)).rejects.toMatchObject(
        {
          code: 'SQL_FAILED',
        },
      )
    })

    it('allows one transaction at a time', async () => {
      const transaction = await store.begin()
      await expect(async () => store.begin()).rejects.toThrow()
      await transaction.rollback()
    })

    it('reads its own writes and shows them to others only after the commit', async () => {
      await commit(batchRow(1), async (transaction) => {
        await transaction.sqlExecute({ statement: 'CREATE TABLE t (a int)', params: [] })
        await transaction.definitionPut({ kind: 'env', id: '', value: '1' })
      })
      const reader = await database.openReader(project)
      const count = { statement: 'SELECT count(*) AS n FROM t', params: [] }
      const seen = async () => [
        (await reader.listKv({})).total,
        (await store.listKv({})).total,
        (await reader.query(count, limits)).rows[0]?.[0],
        (await store.query(count, limits)).rows[0]?.[0],
        (await reader.definition())[0]?.value,
        (await reader.tip()).height,
      ]
      const before = [0, 0, 0n, 0n, '1', 1n]
      const transaction = await store.begin()
      await transaction.kvPut([{ namespace: 'n', key: 'k', value: bytes(3, 1) }])
      await transaction.sqlExecute({ statement: 'INSERT INTO t VALUES (1)', params: [] })
      await transaction.definitionPut({ kind: 'env', id: '', value: '2' })
      expect(await transaction.kvGet('n', 'k')).toEqual(bytes(3, 1))
      expect((await transaction.sqlQuery(count)).rows).toEqual([[1n]])
      expect(await seen()).toEqual(before)
      await transaction.commit(batchRow(2))
      expect(await seen()).toEqual([1, 1, 1n, 1n, '2', 2n])
      await reader.close()
    })

    it('returns to savepoints, which nest', async () => {
      const read = { statement: 'SELECT a FROM t ORDER BY a', params: [] }
      const insert = (n: number) => ({ statement: `INSERT INTO t VALUES (${n})`, params: [] })
      const value = (n: number) => [{ namespace: 'n', key: 'k', value: bytes(1, n) }]
      await commit(batchRow(1), async (transaction) => {
        await transaction.sqlExecute({ statement: 'CREATE TABLE t (a int)', params: [] })
        await transaction.savepoint()
        await transaction.sqlExecute(insert(1))
        await transaction.kvPut(value(1))
        await transaction.savepoint()
        await transaction.savepoint()
        await transaction.sqlExecute(insert(2))
        await transaction.kvPut(value(2))
        await transaction.releaseSavepoint()
        await transaction.sqlExecute({ statement: 'CREATE TABLE gone (a int)', params: [] })
        await transaction.rollbackToSavepoint()
        expect((await transaction.sqlQuery(read)).rows).toEqual([[1n]])
        expect(await transaction.kvGet('n', 'k')).toEqual(bytes(1, 1))
        await expect(async () =>
          transaction.sqlQuery({ statement: 'SELECT * FROM gone', params: [] }),
        ).rejects.toMatchObject({ code: 'SQL_FAILED' })
        await transaction.releaseSavepoint()
        await expect(async () => transaction.releaseSavepoint()).rejects.toThrow(RangeError)
        await transaction.sqlExecute(insert(3))
      })
      expect((await store.query(read, limits)).rows).toEqual([[1n], [3n]])
    })

    it('remembers the keys of retries', async () => {
      const messages = [messageRow(1, 0), messageRow(1, 1)]
      await commit(batchRow(1, { messages, idempotency: [{ key: bytes(5, 1), index: 1 }] }))
      await reopen()
      const transaction = await store.begin()
      expect(await transaction.findIdempotent(bytes(5, 1))).toEqual({
        height: 1n,
        index: 1,
        timeMs: 1_700_000_000_001,
        receipt: messages[1]!.receipt,
      })
      expect(await transaction.findIdempotent(bytes(5, 2))).toBeUndefined()
      await transaction.commit(
        batchRow(2, { messages: [messageRow(2, 0)], idempotency: [{ key: bytes(5, 1), index: 0 }] }),
      )
      const next = await store.begin()
      expect(await next.findIdempotent(bytes(5, 1))).toMatchObject({ height: 2n, index: 0 })
      await next.rollback()
      const key = bytes(5, 3)
      await commit(batchRow(3, { messages: [messageRow(3, 0)], idempotency: [{ key, index: 0 }] }))
      await commit(batchRow(4, { forgetKeysBeforeMs: 1_700_000_000_003 }))
      const last = await store.begin()
      expect(await last.findIdempotent(bytes(5, 1))).toBeUndefined()
      expect(await last.findIdempotent(key)).toMatchObject({ height: 3n })
      await last.rollback()
    })

    it('forgets the log lines of an instance, and counts what is left', async () => {
      await commit(batchRow(1, { logs: [logRow(0), logRow(1, { instanceId: '33' }), logRow(2)] }))
      await store.removeLogs('22')
      await commit(batchRow(2, { logs: [logRow(0), logRow(1, { instanceId: '33' })] }))
      await store.removeLogs('33')
      expect(await store.listLogs({})).toMatchObject({ total: 1, data: [{ height: 2n, instanceId: '22' }] })
    })

    it('tracks effects from INIT to their end', async () => {
      await commit(batchRow(1, { effects: [effectEntry(1, 0), effectEntry(1, 1), effectEntry(1, 2)] }))
      const id = (index: number) => effectEntry(1, index).effect.id
      await commit(batchRow(2), async (transaction) => {
        await transaction.outboxUpdate(id(0), { state: 'CONFIRMED', detail: 'block 7' })
      })
      await store.outboxUpdate([
        { id: id(1), state: 'PENDING', local: '{"hash":"0x1"}', attempts: 2 },
        { id: bytes(32, 99), state: 'FAILED' },
      ])
      expect(await store.outboxPending()).toMatchObject([
        { index: 1, state: 'PENDING', local: '{"hash":"0x1"}', attempts: 2 },
        { index: 2, state: 'INIT' },
      ])
      await reopen()
      expect((await store.outbox({ state: 'CONFIRMED' })).data).toMatchObject([{ index: 0, detail: 'block 7' }])
      expect((await store.outbox({ state: 'PENDING' })).total).toBe(1)
      expect((await store.outbox({ height: 1n, kind: 'metric' })).data.map(({ index }) => index)).toEqual([2, 1, 0])
      await store.outboxUpdate([{ id: id(0), state: 'IN_BLOCK' }])
      expect((await store.outboxPending()).map(({ index }) => index)).toEqual([0, 1, 2])
      const places = async (height: bigint, index: number, limit?: number) =>
        (await store.outboxPending({ from: { height, index }, limit })).map((row) => row.index)
      expect(await places(1n, 1)).toEqual([1, 2])
      expect(await places(1n, 0, 2)).toEqual([0, 1])
      expect(await places(2n, 0)).toEqual([])
    })

    it('keeps late writes through a transaction that is rolled back', async () => {
      await commit(batchRow(1, { effects: [effectEntry(1, 0)] }))
      const transaction = await store.begin()
      await store.outboxUpdate([{ id: effectEntry(1, 0).effect.id, state: 'PENDING' }])
      await store.putCertificates([{ height: 1n, certificate: bytes(65, 1) }])
      await transaction.rollback()
      await reopen()
      expect((await store.outboxPending())[0]?.state).toBe('PENDING')
      expect((await store.batch(1n))?.certificate).toEqual(bytes(65, 1))
    })

    it('lets late writes ride on a commit', async () => {
      await commit(batchRow(1))
      const transaction = await store.begin()
      await store.putCertificates([{ height: 1n, certificate: bytes(65, 1) }])
      await transaction.commit(batchRow(2))
      const reader = await database.openReader(project)
      expect((await reader.batch(1n))?.certificate).toEqual(bytes(65, 1))
      await reader.close()
    })

    it('keeps the definition in the order in which it grew', async () => {
      await commit(batchRow(1), async (transaction) => {
        for (const id of ['9', '1', '5']) await transaction.definitionPut({ kind: 'strategy', id, value: `"${id}"` })
        await transaction.definitionPut({ kind: 'applet', id: '1', value: '1' })
        await transaction.definitionPut({ kind: 'strategy', id: '9', value: '"new"' })
        await transaction.definitionDelete('strategy', '1')
        await transaction.definitionDelete('strategy', 'unknown')
      })
      await reopen()
      expect(await store.definition('strategy')).toEqual([
        { kind: 'strategy', id: '9', value: '"new"' },
        { kind: 'strategy', id: '5', value: '"5"' },
      ])
      expect(await store.definition()).toHaveLength(3)
      expect(await store.definitionGet('applet', '1')).toEqual({ kind: 'applet', id: '1', value: '1' })
      expect(await store.definitionGet('applet', '2')).toBeUndefined()
    })

    it('pages through messages, newest first', async () => {
      const other = { publisherId: '42', eventType: 'X', status: 'failed', kind: 'config' } as const
      await commit(batchRow(1, { messages: [0, 1, 2].map((i) => messageRow(1, i)) }))
      await commit(batchRow(2, { messages: [messageRow(2, 0), messageRow(2, 1, other)] }))
      const page = await store.listMessages({ size: 2, offset: 1 })
      expect(page.total).toBe(5)
      expect(page.data.map(({ height, index }) => [height, index])).toEqual([
        [2n, 0],
        [1n, 2],
      ])
      for (const [name, value] of Object.entries(other)) {
        const found = await store.listMessages({ [name]: value, ...everything })
        expect([name, found.total, found.data[0]?.index]).toEqual([name, 1, 1])
      }
      expect((await store.listMessages({ size: 0 })).data).toEqual([])
    })

    it('pages through logs and streams what came later', async () => {
      await commit(batchRow(1, { logs: Array.from({ length: 25 }, (_, i) => logRow(i)) }))
      const first = await store.listLogs({})
      expect([first.total, first.data.length, first.data[0]?.index]).toEqual([25, 10, 24])
      const newest = first.data[0]!.row
      await commit(batchRow(2, { logs: [logRow(0), logRow(1, { instanceId: '33', level: 2 })] }))
      const later = await store.listLogs({ after: newest, ...everything })
      expect(later.data.map(({ height, index }) => [height, index])).toEqual([
        [2n, 0],
        [2n, 1],
      ])
      expect((await store.listLogs({ instanceId: '33' })).data).toMatchObject([{ level: 2, height: 2n }])
      expect((await store.listLogs({ level: 4, appletId: '11', eventId: 'event' })).total).toBe(26)
    })

    it('lists keys by namespace and prefix, in the order of their bytes', async () => {
      const put = (namespace: string, key: string) => ({ namespace, key, value: bytes(2, key.length) })
      await commit(batchRow(1), async (transaction) => {
        await transaction.kvPut([
          put('a', 'b%x'),
          put('a', 'ba'),
          put('b', 'z'),
          put('a', '\u{1d11e}'),
          put('a', '\uffee'),
        ])
        await transaction.kvPut([{ namespace: 'a', key: '', value: new Uint8Array() }])
      })
      const keys = async (filter: { namespace?: string; prefix?: string }) =>
        (await store.listKv({ ...filter, ...everything })).data.map(({ key }) => key)
      expect(await keys({})).toEqual(['', 'b%x', 'ba', '\uffee', '\u{1d11e}', 'z'])
      expect(await keys({ namespace: 'a', prefix: 'b%' })).toEqual(['b%x'])
      expect((await store.listKv({ namespace: 'a', size: 1, offset: 1 })).total).toBe(5)
      const transaction = await store.begin()
      expect(await transaction.kvGet('a', '')).toEqual(new Uint8Array())
      expect(await transaction.kvGet('a', 'missing')).toBeUndefined()
      await transaction.rollback()
    })

    it('removes keys, and lists a range of them with what the transaction wrote', async () => {
      const put = (key: string, value: Uint8Array | null = bytes(1, 1)) => ({ namespace: 'a', key, value })
      await commit(batchRow(1), async (transaction) => {
        await transaction.kvPut(['', 'a', 'a/1', 'a/2', 'a/\u{10ffff}', 'b'].map((key) => put(key)))
      })
      const transaction = await store.begin()
      await transaction.kvPut([put('a/1', null), put('a/3'), put('a/2', null), put('a/2', bytes(2, 2))])
      await transaction.kvPut([put('gone'), put('gone', null)])
      const keys = async (range: { prefix?: string; after?: string; limit?: number }) =>
        (await transaction.kvList('a', { limit: 100, ...range })).map(({ key }) => key)
      expect(await keys({})).toEqual(['', 'a', 'a/2', 'a/3', 'a/\u{10ffff}', 'b'])
      expect(await keys({ prefix: 'a/' })).toEqual(['a/2', 'a/3', 'a/\u{10ffff}'])
      expect(await keys({ prefix: 'a/', after: 'a/2' })).toEqual(['a/3', 'a/\u{10ffff}'])
      expect(await keys({ prefix: 'a/\u{10ffff}' })).toEqual(['a/\u{10ffff}'])
      expect(await keys({ after: 'a', limit: 2 })).toEqual(['a/2', 'a/3'])
      expect(await transaction.kvList('b', { limit: 9 })).toEqual([])
      expect(await transaction.kvGet('a', 'a/1')).toBeUndefined()
      expect(await transaction.kvGet('a', 'a/2')).toEqual(bytes(2, 2))
      await transaction.commit(batchRow(2))
      expect((await store.listKv({ prefix: 'a/', ...everything })).data.map(({ key }) => key)).toEqual([
        'a/2',
        'a/3',
        'a/\u{10ffff}',
      ])
    })

    it('keeps the last of several values of a key', async () => {
      const value = (n: number) => ({ namespace: 'a', key: 'k', value: bytes(1, n) })
      await commit(batchRow(1), async (transaction) => {
        await transaction.kvPut(Array.from({ length: 100 }, (_, i) => value(i)))
        await transaction.kvPut([value(7), value(8)])
      })
      expect((await store.listKv({})).data).toEqual([value(8)])
    })

    it('knows no reader of a project that is not there', async () => {
      const unknown = `0x${'cd'.repeat(32)}` as const
      await expect(async () => database.openReader(unknown)).rejects.toMatchObject({ code: 'STORE_NOT_FOUND' })
      await expect(async () => database.openReader(unknown)).rejects.toThrow(DatabaseError)
    })

    it('drops a project whole', async () => {
      await commit(batchRow(1))
      await store.close()
      await database.dropProject(project)
      await database.dropProject(project)
      await expect(async () => database.openReader(project)).rejects.toMatchObject({ code: 'STORE_NOT_FOUND' })
      store = await database.openProject(project)
      expect((await store.tip()).height).toBe(0n)
    })
  })
}

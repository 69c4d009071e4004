import { readFileSync } from 'node:fs'
import { fromHex, type Hex, toHex } from '@w3bstream/protocol'
import { expect, it } from 'vitest'
import { databases } from '../database/index.ts'
import { defaultProjectSettings, type ProjectDefinition } from '../project/definition.ts'
import type { ExecutorServices } from './executor/executor.ts'
import { HandlerHost } from './host/handler-host.ts'
import { noAssets } from './testing/world.ts'
import { decodeWitness, Witness, type WitnessEntry } from './witness.ts'
import { digestTags } from './write-set.ts'

interface Vector {
  readonly writes: { readonly entries: readonly Record<string, never>[]; readonly bytes: Hex }
  readonly witness: {
    readonly entries: readonly { messageIndex: number; kind: WitnessEntry['kind']; answered: 0 | 1; answer: Hex }[]
    readonly bytes: Hex
  }
}

/** The vectors of `docs/spec/history.md`, whose state digest and witness are made here and not in the protocol's package. */
const vectors: { project: Hex; batches: Vector[] } = JSON.parse(
  readFileSync(new URL('../../../protocol/vectors/history.json', import.meta.url), 'utf8'),
)
const [, batch] = vectors.batches as [Vector, Vector]

const refuse = () => Promise.reject(new Error('not asked for'))
const services: ExecutorServices = { sign: refuse, call: refuse, release: () => undefined }

it('enters key-value and SQL writes of a handler into the state digest as the vectors do', async () => {
  const project = vectors.project
  const store = await databases.memory().openProject(project)
  const transaction = await store.begin()
  await transaction.sqlExecute({
    statement: 'CREATE TABLE readings (id bigserial, station text, value double precision, raw bytea, note text)',
    params: [],
  })
  const definition = { settings: defaultProjectSettings } as ProjectDefinition
  const host = new HandlerHost(
    { project, projectBytes: fromHex(project), height: 2n, timeMs: 1_700_000_060_002, definition },
    {
      transaction,
      services,
      progress: { enter: () => undefined, leave: () => undefined, pause: () => 0 },
      modules: { assets: noAssets },
    },
  )
  const instance = { instanceId: '1', appletId: '1' } as Parameters<HandlerHost['begin']>[0]['instance']
  const call = {
    messageIndex: 0,
    ordinal: 0,
    eventId: '',
    eventType: '',
    timestampMs: 0,
    receivedMs: 0,
    topic: '',
    publisherKey: '',
    signed: false,
    payload: new Uint8Array(),
    instance,
  }
  const [kv, sql, defined] = batch.writes.entries as unknown as [
    { namespace: string; key: string; value: Hex },
    { statement: string },
    { kind: string; id: string; value: string },
  ]

  host.begin({ ...call, namespace: kv.namespace })
  host.kvPut(kv.key, fromHex(kv.value))
  await host.sqlExecute({
    statement: sql.statement,
    params: [
      { type: 'string', value: 'station-1' },
      { type: 'float64', value: 21.5 },
      { type: 'bytes', value: Uint8Array.of(0, 255) },
      { type: 'null' },
    ],
  })
  await host.end(true)
  host.digest.u8(digestTags.definition).text(defined.kind).text(defined.id).text(defined.value)

  expect(toHex(host.digest.view())).toBe(batch.writes.bytes)
})

it('writes the witness of the vectors, and reads it', () => {
  const witness = new Witness()
  const entries = batch.witness.entries.map((entry) => ({
    ...entry,
    answered: entry.answered === 1,
    answer: fromHex(entry.answer),
  }))
  for (const entry of entries) witness.record(entry)
  expect(toHex(witness.finish())).toBe(batch.witness.bytes)
  expect(decodeWitness(fromHex(batch.witness.bytes))).toEqual(entries)
})

import { Writer } from '@w3bstream/protocol'
import { describe, expect, it } from 'vitest'
import type { ProjectTransaction } from '../../database/database.ts'
import type { ProjectDefinition, TrafficLimit } from '../../project/definition.ts'
import { WriteSet } from '../write-set.ts'
import { takeTransaction } from './transactions.ts'

const hourMs = 3_600_000
const limit: TrafficLimit = {
  trafficLimitId: '1',
  apiType: 'BLOCKCHAIN',
  scope: 'PROJECT',
  threshold: 2,
  duration: '1h',
  startMs: 0,
  createdMs: 0,
  updatedMs: 0,
}
const definitionWith = (...limits: TrafficLimit[]) =>
  ({ trafficLimits: new Map(limits.map((one) => [one.trafficLimitId, one])) }) as unknown as ProjectDefinition
/** A store with nothing in it. */
const transaction = { kvGet: () => undefined } as unknown as ProjectTransaction

describe('the limit of transactions', () => {
  it('counts those of handlers that succeeded, in the period of the batch’s clock', async () => {
    const writes = new WriteSet()
    const definition = definitionWith(limit)
    const take = async (timeMs: number) => (await takeTransaction(definition, timeMs, { writes, transaction }))()
    await take(10)
    writes.drop()
    await take(20)
    await take(30)
    await expect(take(40)).rejects.toMatchObject({ reason: 'Limit' })
    writes.keep(new Writer())
    await expect(take(hourMs - 1)).rejects.toMatchObject({ reason: 'Limit' })
    await take(hourMs)
  })

  it('does not count one that could not be signed', async () => {
    const writes = new WriteSet()
    const definition = definitionWith({ ...limit, threshold: 1 })
    for (let i = 0; i < 3; i++) await takeTransaction(definition, 10, { writes, transaction })
    expect(writes.entries()).toEqual([])
  })

  it('is none of a project that has none', async () => {
    const writes = new WriteSet()
    const definition = definitionWith({ ...limit, apiType: 'EVENT', threshold: 0 })
    for (let i = 0; i < 3; i++) (await takeTransaction(definition, 10, { writes, transaction }))()
    writes.keep(new Writer())
    expect(writes.entries()).toEqual([])
  })
})

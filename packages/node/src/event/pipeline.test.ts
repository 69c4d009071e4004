import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { World } from './testing/world.ts'

let world: World
afterEach(() => world.close())

/** Takes a stored module away, as a damaged disk would. */
async function lose(fixture: string): Promise<void> {
  const codeHash = await world.store(fixture)
  const files = await readdir(world.directory, { recursive: true })
  await rm(join(world.directory, files.find((name) => name.endsWith(codeHash.slice(8)))!))
}

describe('pipeline', () => {
  it('refuses a message that could not be read back, alone', async () => {
    world = await World.open()
    const project = await world.project()
    await project.deploy({ rust_log: { DEFAULT: 'start' } })
    const [bad, good] = await Promise.allSettled([
      project.event('x', { publisherKey: 'k'.repeat(5000) }),
      project.event('y'),
    ])
    expect(bad).toMatchObject({ status: 'rejected', reason: { fault: { code: 'badRequest' } } })
    expect(good).toMatchObject({ status: 'fulfilled', value: { status: 'ok' } })
  })

  it('answers senders whose batch is on disk, whatever its followers do', async () => {
    world = await World.open({
      onCommitted: () => {
        throw new Error('the control file is full')
      },
    })
    const project = await world.project()
    await project.deploy({ rust_log: { DEFAULT: 'start' } })
    const receipts = await Promise.all(Array.from({ length: 5 }, (_, i) => project.event(`${i}`)))
    expect(receipts.map(({ status }) => status)).toEqual(Array(5).fill('ok'))
    expect((await project.event('on')).status).toBe('ok')
  })

  it('fails only the message that cannot be executed, and keeps the order of the others', async () => {
    world = await World.open({ pipeline: { batch: { messages: 4, bytes: 1e6 } } })
    const project = await world.project()
    await project.deploy({ rust_log: { DEFAULT: 'start' }, go_log: { LOST: 'count_words' } })
    await lose('go_log')
    const types = ['A', 'LOST', 'A', 'A', 'A', 'LOST', 'A', 'A', 'A', 'A']
    const results = await Promise.allSettled(types.map((eventType, i) => project.event(`${i}`, { eventType })))
    expect(results.map(({ status }) => status)).toEqual(
      types.map((type) => (type === 'LOST' ? 'rejected' : 'fulfilled')),
    )
    expect(results[1]).toMatchObject({ reason: { fault: { code: 'InternalServerError' } } })
    expect((results[1] as PromiseRejectedResult).reason.message).not.toContain(world.directory)
    expect(await project.logs()).toEqual(['0', '2', '3', '4', '6', '7', '8', '9'])
  })
})

import { describe, expect, it, vi } from 'vitest'
import { openControl } from '../database/control/control.ts'
import { EngineError } from '../engine/errors.ts'
import { ExecutorError } from '../event/executor/errors.ts'
import { type HealthDeps, health } from './health.ts'

const refused = () => Promise.reject(new EngineError({ code: 'MODULE_INVALID', problems: [] }))

function deps(given: Partial<HealthDeps> = {}): HealthDeps {
  const control = openControl(':memory:')
  const mqtt = { health: () => ({ mqtt: 'ok' }) }
  return { ready: () => true, control, executor: { inspectModule: refused }, mqtt, ...given }
}

describe('health', () => {
  it('has an entry for each part', async () => {
    expect(await health(deps())).toEqual({ node: 'ok', database: 'ok', executor: 'ok', mqtt: 'ok' })
  })

  it('says what is wrong, without texts of the system', async () => {
    const control = openControl(':memory:')
    control.close()
    const executor = { inspectModule: () => Promise.reject(new ExecutorError({ code: 'EXECUTOR_STOPPED' })) }
    const found = await health(deps({ ready: () => false, control, executor }))
    expect(found).toMatchObject({ node: 'starting or stopping', executor: 'EXECUTOR_STOPPED' })
    expect(found.database).toMatch(/^cannot be read: [A-Z_]+$/)
  })

  it('does not wait for a thread that is busy', async () => {
    vi.useFakeTimers()
    const found = health(deps({ executor: { inspectModule: () => new Promise(() => {}) } }))
    await vi.runAllTimersAsync()
    vi.useRealTimers()
    expect((await found).executor).toMatch(/^busy/)
  })
})

import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeReceipt, type Message, type ProjectKey, type Receipt } from '@w3bstream/protocol'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type ControlDatabase, openControl } from '../database/control/control.ts'
import type { Database } from '../database/database.ts'
import { openSqliteDatabase } from '../database/sqlite/sqlite-database.ts'
import { ApiError } from '../endpoint/api-error.ts'
import { silentLogger } from '../telemetry/logger.ts'
import type { DefinitionChange } from './definition-rows.ts'
import { ProjectIndex } from './project-index.ts'
import { defaultProjectsOptions, NodeProjects } from './projects.ts'

let directory: string
let control: ControlDatabase
let database: Database
const tokens = vi.fn()

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'w3b-projects-'))
  control = openControl(':memory:')
  control.exec("INSERT INTO account VALUES ('8', 'USER', 'ENABLED', 'INIT', 0, 0)")
  database = openSqliteDatabase({ directory })
  tokens.mockClear()
})
afterEach(async () => {
  control.close()
  await rm(directory, { recursive: true, force: true })
})

/** The registry over a log that answers as `submit` says. */
function open(over: { submit?: (key: ProjectKey, message: Message) => Promise<{ receipt: Uint8Array }> } = {}) {
  const index = new ProjectIndex(control)
  const projects = new NodeProjects(defaultProjectsOptions, {
    index,
    database,
    submit: over.submit ?? (() => Promise.resolve({ receipt: receiptOf({ ok: true }) })),
    close: () => Promise.resolve(),
    indexDevices: (_, changes) => tokens(changes),
    forgetDevices() {},
    token: () => '',
    now: () => 5,
    logger: silentLogger,
  })
  return { index, projects }
}

function receiptOf(result: object): Uint8Array {
  const receipt: Receipt = {
    messageId: new Uint8Array(32),
    height: 1n,
    index: 0,
    status: 'applied',
    vouchedBy: new Uint8Array(20),
    results: [],
    effects: { first: 0, count: 0 },
    detail: JSON.stringify(result),
  }
  return encodeReceipt(receipt)
}

const wanted = { accountId: '8', name: 'aid_8_one' }

describe('registry of projects', () => {
  it.each(['creating', 'removing'] as const)('clears away what a crash left %s, and frees its name', async (state) => {
    const before = open()
    const { key } = await before.projects.create(wanted)
    before.index.setState(key, state)
    const { projects } = open()
    await projects.start()
    expect(projects.byName(wanted.name)).toBeUndefined()
    expect((await projects.create(wanted)).key).not.toBe(key)
  })

  it('frees the name of a project whose creation was refused', async () => {
    const refusing = open({ submit: () => Promise.reject(new ApiError('NodeStopping')) })
    await expect(refusing.projects.create(wanted)).rejects.toMatchObject({ fault: { code: 'NodeStopping' } })
    expect((await open().projects.create(wanted)).name).toBe(wanted.name)
  })

  it('opens no project that is gone', async () => {
    const { projects } = open()
    const { key } = await projects.create(wanted)
    await expect(projects.opening(key)).resolves.toBeUndefined()
    await projects.remove(key)
    await expect(projects.opening(key)).rejects.toMatchObject({ fault: { code: 'ProjectNotFound' } })
    expect(existsSync(join(directory, `${key.slice(2)}.db`))).toBe(false)
  })

  it('reads everything anew when nobody could say what a batch changed', async () => {
    const { projects, index } = open()
    const { key } = await projects.create(wanted)
    const row = (id: string, value: string | null): DefinitionChange => ({ kind: 'publisher', id, value })
    projects.committed(key, { height: 1n, messages: 1, logs: 0, effects: 0, changes: [row('1', '{}'), row('2', '{}')] })
    const store = await database.openProject(key)
    const transaction = await store.begin()
    await transaction.definitionPut({ kind: 'publisher', id: '2', value: '{}' })
    await transaction.definitionPut({ kind: 'publisher', id: '3', value: '{}' })
    await transaction.commit({
      height: 1n,
      header: new Uint8Array(1),
      hash: new Uint8Array(32),
      timeMs: 5,
      receiptsRoot: new Uint8Array(32),
      effectsRoot: new Uint8Array(32),
      stateDigest: new Uint8Array(32),
      witness: new Uint8Array(0),
      messages: [],
      logs: [],
      effects: [],
      idempotency: [],
    })
    await store.close()
    projects.committed(key, { height: 2n, messages: 1, logs: 0, effects: 0, changes: 'unknown' })
    await vi.waitFor(() => expect(index.publishers(key)).toEqual(['2', '3']))
    expect(tokens.mock.calls.slice(-2)).toMatchObject([[[row('1', null)]], [[row('2', '{}'), row('3', '{}')]]])
    await projects.stop()
  })
})

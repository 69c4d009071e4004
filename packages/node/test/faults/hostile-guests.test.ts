import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sender } from '../support/events.ts'
import { guest } from '../support/guests.ts'
import { expectContiguous, expectVerifiable } from '../support/history.ts'
import { deployHostile, type HostileHandler, hostileLimits } from '../support/hostile-applet.ts'
import { Management, type ReceiptRow, request } from '../support/management.ts'
import { NodeProcess } from '../support/node-process.ts'

type Send = ReturnType<typeof sender>
type Result = ReceiptRow['results'][number]

/** A node with one thread, which serves a project of attacks and one that must not feel them. */
interface Scene {
  readonly node: NodeProcess
  readonly admin: Management
  readonly attack: Send
  readonly serve: Send
}

async function open(limits: object = hostileLimits): Promise<Scene> {
  const node = await NodeProcess.start({ flags: ['--workers', '1'] })
  const admin = await Management.login(node)
  await admin.project('hostile')
  await admin.limits('hostile', limits)
  await deployHostile(admin, 'hostile')
  await admin.project('victim')
  await admin.applet('victim', guest('rust_kv_sql'), [{ eventType: 'DEFAULT', handler: 'count_words' }])
  const attack = sender(node, admin.channel('hostile'), await admin.device('hostile', 'attacker'))
  const serve = sender(node, admin.channel('victim'), await admin.device('victim', 'd1'))
  return { node, admin, attack, serve }
}

/** How each attack ends, as its receipt tells. */
const endings: readonly (readonly [HostileHandler, Partial<Result>])[] = [
  ['spin', { code: -1, error: 'FUEL_LIMIT', message: 'more than 5000000 units of fuel', fuel: '5000000' }],
  ['recurse', { error: 'STACK_LIMIT', message: 'calls nest deeper than 524288 bytes of stack' }],
  ['recurseInTable', { error: 'STACK_LIMIT', message: 'calls nest deeper than 524288 bytes of stack' }],
  ['bombMemory', { error: 'MEMORY_LIMIT' }],
  ['bombTable', { error: 'TABLE_LIMIT' }],
  ['floodHost', { error: 'HOST_CALL_LIMIT', message: 'more than 2000 calls of host functions' }],
  ['floodLog', { code: 0, error: '', message: 'LOG_LIMIT' }],
  ['putHuge', { error: '', message: 'KV_VALUE_LIMIT' }],
  ['putThenTrap', { error: 'TRAP', message: 'unreachable' }],
  ['pointOutside', { error: '' }],
  ['allocLoops', { error: 'FUEL_LIMIT', fuel: '5000000' }],
]

async function resultOf({ admin, attack }: Scene, handler: HostileHandler, eventId: string): Promise<Result> {
  expect((await attack('x', { eventType: handler, eventId })).status).toBe(201)
  const [receipt] = await admin.receipts('hostile', `eventID=${eventId}`)
  return receipt!.results[0]!
}

describe('hostile guests', () => {
  let scene: Scene

  beforeAll(async () => {
    scene = await open()
  })
  afterAll(() => scene.node[Symbol.asyncDispose]())

  it.each(endings)('%s ends in a receipt that says why, and nobody else feels it', async (handler, ending) => {
    const result = await resultOf(scene, handler, `one-${handler.toLowerCase()}`)
    expect(result).toMatchObject(ending)
    expect(Number(result.fuel)).toBeGreaterThan(0)
    expect(await resultOf(scene, 'note', `after-${handler.toLowerCase()}`)).toMatchObject({ code: 0, error: '' })
    expect((await scene.serve('served')).json.results).toMatchObject([{ code: 0 }])
  })

  it('leave nothing of a failed call behind', async () => {
    expect([...(await scene.admin.kv('hostile')).keys()]).toEqual(['x'])
  })

  it('take the same fuel on another node, with the same words', async () => {
    const other = await open()
    try {
      for (const [handler] of endings) {
        const eventId = `one-${handler.toLowerCase()}`
        const [receipt] = await scene.admin.receipts('hostile', `eventID=${eventId}`)
        const { code, error, message, fuel, codeHash } = receipt!.results[0]!
        expect(await resultOf(other, handler, eventId)).toMatchObject({ handler, code, error, message, fuel, codeHash })
      }
    } finally {
      await other.node[Symbol.asyncDispose]()
    }
  })

  it('in a crowd lose nothing of the project they are in, nor of others', async () => {
    const attacks = endings.map(([handler]) => scene.attack('x', { eventType: handler }))
    const notes = Array.from({ length: 30 }, (_, n) => scene.attack(`note${n}`, { eventType: 'note' }))
    const served = Array.from({ length: 30 }, (_, n) => scene.serve(`crowd${n}`))
    for (const { status } of await Promise.all([...attacks, ...notes, ...served])) expect(status).toBe(201)
    const kept = [...(await scene.admin.kv('hostile')).keys()].filter((key) => key.startsWith('note'))
    expect(kept).toHaveLength(30)
    const counts = [...(await scene.admin.kv('victim'))].filter(([word]) => word.startsWith('crowd'))
    expect(counts.map(([, value]) => value.readInt32LE())).toEqual(Array(30).fill(1))
  })

  it('leave histories whose receipts verify', async () => {
    const receipts = await expectContiguous(scene.admin, 'hostile')
    const failed = receipts.filter(({ status }) => status === 'failed').slice(0, 4)
    expect(failed).toHaveLength(4)
    await expectVerifiable(
      scene.admin,
      'hostile',
      failed.map(({ messageID }) => messageID),
    )
  })
})

describe('a worker that is killed in the middle of a batch', () => {
  it('leaves the rest of the batch done once', async () => {
    const scene = await open({ ...hostileLimits, fuel: 1_000_000_000_000, wallClockMs: 400 })
    try {
      const notes = (from: number) =>
        Array.from({ length: 10 }, (_, n) => scene.attack(`note${from + n}`, { eventType: 'note' }))
      const before = notes(0)
      const spins = [0, 1].map(() => scene.attack('x', { eventType: 'spin' }))
      const after = notes(10)
      for (const { status } of await Promise.all([...before, ...spins, ...after])) expect(status).toBe(201)
      const receipts = await expectContiguous(scene.admin, 'hostile')
      const ends = receipts.filter(({ eventType }) => eventType === 'spin').map(({ results }) => results[0]!.error)
      expect(ends).toEqual(['WALL_CLOCK', 'WALL_CLOCK'])
      expect(receipts.filter(({ eventType }) => eventType === 'note')).toHaveLength(20)
      expect((await scene.admin.kv('hostile')).size).toBe(20)
      const { text } = await request(`${scene.node.management}/metrics`)
      expect(text).toContain(`w3b_handlers_stopped_total{project="${scene.admin.channel('hostile')}"} 2`)
    } finally {
      await scene.node[Symbol.asyncDispose]()
    }
  })
})

describe('a node that is killed while guests run away', () => {
  it('has each acknowledged event once, and the same fuel in each receipt', async () => {
    const scene = await open()
    try {
      const acknowledged: string[] = []
      const loads = Array.from({ length: 8 }, async (_, sender) => {
        for (let n = 0; ; n++) {
          const word = `load${sender}x${n}`
          const answers = [scene.attack('x', { eventType: 'spin' }), scene.attack(word, { eventType: 'note' })]
          const [, noted] = await Promise.all(answers.map((answer) => answer.catch(() => undefined)))
          if (noted === undefined) return
          if (noted.status === 201) acknowledged.push(word)
          if (acknowledged.length > 40) scene.node.signal('SIGKILL')
        }
      })
      await Promise.all(loads)
      await scene.node.ended()
      await scene.node.start()
      const stored = await scene.admin.kv('hostile')
      expect(acknowledged.filter((word) => !stored.has(word))).toEqual([])
      const receipts = await expectContiguous(scene.admin, 'hostile')
      const notes = receipts.filter(({ eventType, status }) => eventType === 'note' && status === 'ok')
      expect(notes).toHaveLength(stored.size)
      const fuel = receipts.filter(({ eventType }) => eventType === 'spin').map(({ results }) => results[0]!.fuel)
      expect(new Set(fuel)).toEqual(new Set(['5000000']))
      expect(await resultOf(scene, 'note', 'afterwards')).toMatchObject({ code: 0 })
    } finally {
      await scene.node[Symbol.asyncDispose]()
    }
  }, 60_000)
})

describe('a quota that overflows in the middle of a batch', () => {
  it('refuses what is over it, and keeps what came before', async () => {
    const scene = await open({ ...hostileLimits, fuel: 500_000_000, fileBytes: 100 })
    try {
      await scene.admin.applet('hostile', guest('c_files'), [{ eventType: 'FILE', handler: 'keep_journal' }], 'files')
      // The batch that follows the one of a slow handler holds all that came in the meantime.
      const slow = scene.attack('x', { eventType: 'spin' })
      const lines = Array.from({ length: 20 }, (_, n) => `line${String(n).padStart(5, '0')}`)
      await Promise.all([slow, ...lines.map((line) => scene.attack(line, { eventType: 'FILE' }))])
      const receipts = (await expectContiguous(scene.admin, 'hostile')).filter(({ eventType }) => eventType === 'FILE')
      const refused = receipts.filter(({ results }) => results[0]!.message.includes('FILE_LIMIT'))
      expect([receipts.length, refused.length]).toEqual([20, 10])
      const heights = new Set(refused.map(({ height }) => height))
      expect(receipts.some((receipt) => heights.has(receipt.height) && !refused.includes(receipt))).toBe(true)
      await scene.admin.limits('hostile', { fileBytes: 10_000 })
      await scene.attack('last', { eventType: 'FILE', eventId: 'last' })
      const [line] = await scene.admin.logs('hostile', 'eventID=last')
      expect(line!.msg.split(' ')[0]!.split(',')).toHaveLength(11)
    } finally {
      await scene.node[Symbol.asyncDispose]()
    }
  })
})

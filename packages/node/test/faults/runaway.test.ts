import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sender } from '../support/events.ts'
import { guest } from '../support/guests.ts'
import { expectContiguous, expectVerifiable } from '../support/history.ts'
import { Management } from '../support/management.ts'
import { NodeProcess } from '../support/node-process.ts'

const handlers: Record<string, readonly string[]> = {
  loop: ['spin', 'spin_calling', 'pass'],
  recurse: ['recurse', 'reenter'],
  bomb: ['grow', 'measure', 'pages'],
  logflood: ['many', 'long_line', 'odd'],
  badptr: ['wild_inputs', 'wild_outputs', 'bad_json', 'foreign_rid'],
  badalloc: ['alloc_outside', 'alloc_traps', 'alloc_calls_host'],
}

/** Hostile applets in one project, on the one thread that serves another project too. */
describe('runaway applets', () => {
  let node: NodeProcess
  let admin: Management
  let attack: ReturnType<typeof sender>
  let serve: ReturnType<typeof sender>

  beforeAll(async () => {
    node = await NodeProcess.start({ flags: ['--workers', '1'] })
    admin = await Management.login(node)
    await admin.project('hostile')
    await admin.limits('hostile', { wallClockMs: 300, hostCalls: 1_000_000_000 })
    for (const [name, exported] of Object.entries(handlers)) {
      const routes = exported.map((handler) => ({ eventType: `${name}.${handler}`, handler }))
      await admin.applet('hostile', guest(name), routes, name)
    }
    await admin.applet('hostile', guest('rust_kv_sql'), [{ eventType: 'COUNT', handler: 'count_words' }], 'good')
    attack = sender(node, admin.channel('hostile'), await admin.device('hostile', 'attacker'))
    await admin.project('victim')
    await admin.applet('victim', guest('rust_kv_sql'), [{ eventType: 'DEFAULT', handler: 'count_words' }])
    serve = sender(node, admin.channel('victim'), await admin.device('victim', 'd1'))
  })
  afterAll(() => node[Symbol.asyncDispose]())

  const run = async (handler: string) => {
    const { json } = await attack('x', { eventType: handler })
    if (!json.results) throw new Error(JSON.stringify(json))
    return json.results[0]!
  }

  it.each(['loop.spin', 'loop.spin_calling'])('stops %s and goes on', async (handler) => {
    expect(await run(handler)).toMatchObject({ code: -1, error: 'wait timeout' })
    expect(await run('loop.pass')).toMatchObject({ code: 0 })
  })

  it.each([
    ['recurse.recurse', { code: -1, error: expect.stringMatching(/stack/i) }],
    ['bomb.grow', { code: -1, error: expect.any(String) }],
    ['logflood.many', { code: 0 }],
    ['logflood.long_line', { code: 0 }],
    ['logflood.odd', { code: 0 }],
    ['badptr.wild_inputs', { code: 0 }],
    ['badptr.wild_outputs', { code: 0 }],
    ['badptr.bad_json', { code: 0 }],
    ['badptr.foreign_rid', { code: 2 }],
    ['badalloc.alloc_outside', { code: 5 }],
    ['badalloc.alloc_traps', { code: 5 }],
  ])('survives %s', async (handler, result) => {
    expect(await run(handler)).toMatchObject(result)
    expect((await serve('after')).json.results).toMatchObject([{ code: 0 }])
  })

  it('gives memory up to the limit, and fresh at each call', async () => {
    const atStart = (await run('bomb.pages')).code
    expect((await run('bomb.measure')).code).toBeLessThanOrEqual(512)
    expect((await run('bomb.pages')).code).toBe(atStart)
  })

  it('keeps the log of a flood within its limits', async () => {
    const { messageID } = (await attack('x', { eventType: 'logflood.many', eventId: 'flood' })).json
    expect(messageID).toMatch(/^0x/)
    const lines = await admin.logs('hostile', 'eventID=flood')
    expect(lines.length).toBeLessThanOrEqual(1001)
    expect(lines.at(-1)?.msg).toBe('line 00000')
    await attack('x', { eventType: 'logflood.long_line', eventId: 'long' })
    const [line] = await admin.logs('hostile', 'eventID=long')
    expect(Buffer.byteLength(line!.msg)).toBeLessThanOrEqual(4096 + 64)
  })

  it('loses and fails nothing of others while loops are stopped one after the other', async () => {
    const answered: { status: number; words: string }[] = []
    let attacking = true
    const serving = Promise.all(
      Array.from({ length: 4 }, async (_, n) => {
        for (let i = 0; attacking; i++) {
          const words = `served${n}x${i}`
          const { status, json } = await serve(words)
          expect(json.results).toMatchObject([{ code: 0 }])
          answered.push({ status, words })
        }
      }),
    )
    const loops = Promise.all(Array.from({ length: 4 }, (_, i) => run(i % 2 ? 'loop.spin' : 'loop.spin_calling')))
    const neighbours = Promise.all(
      Array.from({ length: 20 }, (_, i) => attack(`neighbour${i}`, { eventType: 'COUNT' })),
    )
    for (const result of await loops) expect(result).toMatchObject({ code: -1, error: 'wait timeout' })
    for (const { json } of await neighbours) expect(json.results).toMatchObject([{ code: 0 }])
    attacking = false
    await serving
    expect(answered.filter(({ status }) => status !== 201)).toEqual([])
    const victim = await admin.kv('victim')
    expect(answered.filter(({ words }) => victim.get(words)?.readInt32LE() !== 1)).toEqual([])
    const counts = [...(await admin.kv('hostile'))].filter(([key]) => key.startsWith('neighbour'))
    expect(counts.map(([, value]) => value.readInt32LE())).toEqual(Array(20).fill(1))
  })

  it('leaves histories whose receipts verify', async () => {
    for (const project of ['hostile', 'victim']) {
      const receipts = await expectContiguous(admin, project)
      const failed = receipts.filter(({ status }) => status === 'failed').slice(0, 5)
      await expectVerifiable(
        admin,
        project,
        [...failed, ...receipts.slice(0, 3)].map(({ messageID }) => messageID),
      )
    }
  })
})

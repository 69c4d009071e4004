import { afterEach, describe, expect, it } from 'vitest'
import { type TestProject, World, type WorldOptions } from './testing/world.ts'

const worlds: World[] = []
afterEach(() => Promise.all(worlds.splice(0).map((world) => world.close())))

const handlers = {
  KEEP: 'keep_journal',
  LIST: 'list_data',
  CRASH: 'write_and_crash',
  JUGGLE: 'juggle_files',
  ESCAPE: 'try_to_escape',
}

async function open(options: WorldOptions = {}, guest = 'rust_files'): Promise<{ world: World; project: TestProject }> {
  const world = await World.open(options)
  worlds.push(world)
  const project = await world.project(`0x${'11'.repeat(32)}`)
  await project.deploy({ [guest]: handlers })
  return { world, project }
}

/** The guest's line of one event, or the error that ended it. */
async function line(project: TestProject, eventType: string, text = ''): Promise<string> {
  const { results } = await project.event(text, { eventType })
  return results[0]!.error || (await project.logs()).at(-1)!
}

async function putAsset(world: World, project: TestProject, path: string, text: string) {
  const bytes = Buffer.from(text)
  const hash = await world.vfs.put(bytes)
  return project.change({ op: 'assets.put', assets: [{ path, hash, size: bytes.length }] })
}

describe.each(['sqlite', 'memory'] as const)('files of applets over %s', (database) => {
  it('keep a journal from event to event, and see the assets of their moment', async () => {
    const { world, project } = await open({ database })
    expect(await line(project, 'KEEP', 'one')).toBe('one entity not found')
    await putAsset(world, project, 'words.txt', 'to\nbe\n')
    expect(await line(project, 'KEEP', 'two')).toBe('one,two to,be')
    await putAsset(world, project, 'words.txt', 'or not')
    expect(await line(project, 'KEEP', 'three')).toBe('one,two,three or not')
    await project.change({ op: 'assets.put', assets: [] })
    expect(await line(project, 'KEEP', 'four')).toBe('one,two,three,four entity not found')
  })

  it('are undone with the handler, and stay within their directories', async () => {
    const { project } = await open({ database })
    await line(project, 'KEEP', 'one')
    expect(await line(project, 'CRASH')).toBe('TRAP')
    expect(await line(project, 'LIST')).toBe('journal/')
    expect(await line(project, 'ESCAPE')).toBe(Array(7).fill('refused').join(' '))
    expect(await line(project, 'JUGGLE')).toBe('World hello 5 a/ h h')
    expect(await line(project, 'LIST')).toBe('journal/')
  })

  it('give the same digest for the same history', async () => {
    const history = async () => {
      const { world, project } = await open({ database, now: () => 1_700_000_000_000 })
      for (const text of ['a', 'b']) await line(project, 'KEEP', text)
      await line(project, 'CRASH')
      return world.batches.map(({ stateDigest }) => Buffer.from(stateDigest).toString('hex'))
    }
    const [first, second] = [await history(), await history()]
    expect(first).toEqual(second)
    expect(first.at(-2)).not.toBe(first.at(-3))
  })

  it('reach their limits with an error that the receipt names, in the middle of a batch', async () => {
    const { project } = await open({ database })
    await project.change({ op: 'settings.put', settings: { limits: { fileBytes: 10 } } })
    expect(await line(project, 'KEEP', '1234')).toBe('1234 entity not found')
    const [full, next] = await Promise.all([
      project.event('123456789', { eventType: 'KEEP' }),
      project.event('56', { eventType: 'KEEP' }),
    ])
    expect(full.results[0]).toMatchObject({ code: -1, message: expect.stringContaining('FILE_LIMIT') })
    expect(next.results[0]).toMatchObject({ code: 0 })
    expect((await project.logs()).at(-1)).toBe('1234,56 entity not found')
  })
})

it('outlive the node, and are there for the applets of other languages', async () => {
  const { world, project } = await open()
  await line(project, 'KEEP', 'from Rust')
  await project.deploy({ c_files: { C: 'keep_journal' }, go_files: { GO: 'keep_journal' } })
  expect(await line(project, 'C', 'from C')).toMatch(/^from Rust,from C /)
  expect(await line(project, 'GO', 'from Go')).toBe('from Rust,from C,from Go none')
  await world.executor.close(project.key)
  const again = await world.project(project.key)
  expect(await line(again, 'KEEP', 'later')).toBe('from Rust,from C,from Go,later entity not found')
})

describe('assets', () => {
  const hash = 'ab'.repeat(32)
  it.each([
    ['twice the same path', [{ path: 'a' }, { path: 'a' }]],
    ['a file that is a directory too', [{ path: 'a' }, { path: 'a/b' }]],
    ['an absolute path', [{ path: '/a' }]],
    ['a path that leaves', [{ path: 'a/../../b' }]],
    ['an empty path', [{ path: '' }]],
    ['a path with a NUL', [{ path: 'a\0' }]],
    ['a hash that is none', [{ path: 'a', hash: 'xyz' }]],
    ['a size that is none', [{ path: 'a', size: -1 }]],
    ['too many', Array.from({ length: 1001 }, (_, index) => ({ path: `${index}` }))],
  ])('are refused with %s', async (_, assets) => {
    const { project } = await open()
    const change = { op: 'assets.put', assets: assets.map((asset) => ({ hash, size: 1, ...asset })) } as const
    expect(await project.change(change)).toMatchObject({ ok: false, code: 'badRequest' })
  })
})

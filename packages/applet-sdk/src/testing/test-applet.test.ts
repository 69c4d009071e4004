import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AppletEngine } from '../engine-contract.ts'
import { kitDirectory } from '../kit.ts'
import { formatReport } from './format-report.ts'
import { testApplet } from './test-applet.ts'

/** Knows one applet, the log example: these tests are about reports. The node's tests run the real engine. */
const logEngine: AppletEngine = {
  load: () => ({
    handlers: ['start'],
    call: ({ host, payload }) => {
      host.log(4, 'wasmCode', `received ${Buffer.from(payload)}`)
      return { type: 'returned', code: 0, fuel: 0n }
    },
  }),
  fault: (_, message) => new Error(message),
}

describe('testApplet', () => {
  let directory = ''
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'test-applet-'))
    await cp(join(kitDirectory(), 'examples', 'log'), directory, { recursive: true })
  })
  afterAll(() => rm(directory, { recursive: true }))

  it('reports files that pass, fail, and cannot be read', async () => {
    const wrong = { events: [{ handler: 'start', payload: 'x', expect: { logs: ['received y'] } }] }
    await writeFile(join(directory, 'tests', 'wrong.test.json'), JSON.stringify(wrong))
    await writeFile(join(directory, 'tests', 'unreadable.test.json'), '{')
    const report = await testApplet(directory, logEngine)
    expect(report).toMatchObject({ passed: 1, failed: 2 })
    const text = formatReport(report)
    expect(text).toContain('ok   log.test.json')
    expect(text).toContain('FAIL unreadable.test.json\n     unreadable.test.json is not JSON')
    expect(text).toContain(
      'FAIL wrong.test.json\n     event 1, start\n       logs[0]: expected "received y", is "received x"',
    )
    expect(text).toContain('       | info: received x')
    expect(text).toMatch(/1 passed, 2 failed$/)
  })

  it('runs the files that a filter lets through, and says when there are none', async () => {
    expect(await testApplet(directory, logEngine, { filter: 'log' })).toMatchObject({ passed: 1, failed: 0 })
    await expect(testApplet(directory, logEngine, { filter: 'absent' })).rejects.toMatchObject({ code: 'NO_TESTS' })
  })
})

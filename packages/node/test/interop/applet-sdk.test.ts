import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { formatReport, newApplet, testApplet } from '@w3bstream/applet-sdk/tool'
import { describe, expect, it } from 'vitest'
import { appletEngine } from '../../src/cli/applet-engine.ts'
import { databaseOfTables } from '../../src/cli/project-file/read-tables.ts'

const kit = fileURLToPath(new URL('../../../applet-sdk/', import.meta.url))
const engine = appletEngine()

describe("the applet kit on the node's engine", () => {
  it.each(['log', 'word-count', 'sensor-average', 'mint-tokens', 'device-means', 'clock-and-web'])(
    'example %s passes its tests',
    async (name) => {
      const report = await testApplet(join(kit, 'examples', name), engine)
      expect(report.failed, formatReport(report)).toBe(0)
      expect(report.passed).toBeGreaterThan(0)
    },
  )

  it('a new applet passes its tests as it is', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'applet-'))
    try {
      await newApplet(directory, { name: 'thermometer' })
      const report = await testApplet(directory, engine)
      expect(report.failed, formatReport(report)).toBe(0)
      expect(report.build.handlers).toEqual(['start'])
    } finally {
      await rm(directory, { recursive: true })
    }
  })

  it('shows the line of a trap, and takes tables as the project file writes them', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'applet-'))
    try {
      await mkdir(join(directory, 'assembly'))
      await mkdir(join(directory, 'tests'))
      const source = `import { sql } from '@w3bstream/applet-sdk'
export function store(rid: i32): i32 {
  sql.execute('INSERT INTO t (n) VALUES (1)')
  return sql.first('SELECT n FROM t').get('n').toI32() == 1 ? unreachable() : 0
}
`
      await writeFile(join(directory, 'assembly/index.ts'), source)
      const test = { tables: { t: { columns: { n: 'int32' } } }, events: [{ handler: 'store' }] }
      await writeFile(join(directory, 'tests/trap.test.json'), JSON.stringify(test))
      const report = await testApplet(directory, engine, { databaseOf: databaseOfTables })
      expect(report.failed).toBe(1)
      expect(report.files[0]?.events[0]?.trace[0]).toMatch(/^store \(assembly\/index\.ts:4:\d+\)$/)
      expect(formatReport(report)).toContain('       at store (assembly/index.ts:4:')
    } finally {
      await rm(directory, { recursive: true })
    }
  })
})

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { formatReport, newApplet, testApplet } from '@w3bstream/applet-sdk/tool'
import { describe, expect, it } from 'vitest'
import { appletEngine } from '../../src/cli/applet-engine.ts'

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
})

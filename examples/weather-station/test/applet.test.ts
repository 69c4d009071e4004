import { execFile } from 'node:child_process'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { commandFile } from '../local-node.ts'

it('passes its own tests, as "w3bstream applet test" runs them', async () => {
  const args = [commandFile(), 'applet', 'test', dirname(import.meta.dirname), '--json']
  const { stdout } = await promisify(execFile)(process.execPath, args)
  expect(JSON.parse(stdout)).toMatchObject({ failed: 0, passed: 4, warnings: [] })
})

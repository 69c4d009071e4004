import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { cliFile, runCli } from '../support/cli.ts'

/** Loaded before the command: lets it take this Node.js for another version. */
const pretend = (version: string) =>
  `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'${version}'}})`

const start = (version: string) =>
  promisify(execFile)(process.execPath, ['--import', pretend(version), cliFile, '--version'])

describe('the command', () => {
  it.each(['18.19.0', '20.20.2', '23.11.0'])('says that Node.js %s is too old', async (version) => {
    await expect(start(version)).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('needs Node.js 24'),
    })
  })

  it('runs on the wanted one and on later ones', async () => {
    expect((await start('25.0.0')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
    expect((await runCli(['--version'])).code).toBe(0)
  })
})

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lockDirectory } from './data-directory.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'w3b-lock-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

describe('lock of a data directory', () => {
  it('is held by one node, in one process too, until it is given back', async () => {
    const unlock = await lockDirectory(directory)
    await expect(lockDirectory(directory)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await unlock()
    await (await lockDirectory(directory))()
  })

  it('is refused while another process lives, and taken from one that is gone', async () => {
    await writeFile(join(directory, 'node.lock'), `${process.ppid}\n`)
    await expect(lockDirectory(directory)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await writeFile(join(directory, 'node.lock'), '2147483646\n')
    await (await lockDirectory(directory))()
    await writeFile(join(directory, 'node.lock'), `${process.pid}\n`)
    await (await lockDirectory(directory))()
  })
})

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kitVersion } from './kit.ts'
import { listTemplates, newApplet } from './new-applet.ts'

describe('newApplet', () => {
  let parent = ''
  beforeAll(async () => {
    parent = await mkdtemp(join(tmpdir(), 'new-applet-'))
  })
  afterAll(() => rm(parent, { recursive: true }))

  it('writes the template with the name and the version of this kit', async () => {
    const files = await newApplet(join(parent, 'thermometer'))
    expect(files).toEqual(expect.arrayContaining(['.gitignore', 'README.md', 'assembly/index.ts', 'package.json']))
    const manifest = JSON.parse(await readFile(join(parent, 'thermometer', 'package.json'), 'utf8'))
    expect(manifest).toMatchObject({ name: 'thermometer', devDependencies: { '@w3bstream/applet-sdk': kitVersion() } })
    for (const file of files) expect(await readFile(join(parent, 'thermometer', file), 'utf8')).not.toContain('{{')
  })

  it('writes into no folder that has files', async () => {
    await expect(newApplet(join(parent, 'thermometer'))).rejects.toMatchObject({ code: 'FOLDER_NOT_EMPTY' })
  })

  it.each(['', 'Upper', '../up', 'a b', '9lives', 'x'.repeat(64)])('refuses the name %j', async (name) => {
    await expect(newApplet(join(parent, 'named'), { name })).rejects.toMatchObject({ code: 'NAME_INVALID' })
  })

  it.each(['none', '..', 'default/assembly'])('refuses the template %j', async (template) => {
    await expect(newApplet(join(parent, 'templated'), { template })).rejects.toMatchObject({ code: 'TEMPLATE_UNKNOWN' })
    expect(await listTemplates()).not.toContain(template)
  })
})

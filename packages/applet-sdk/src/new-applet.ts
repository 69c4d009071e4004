import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { AppletSdkError } from './errors.ts'
import { kitDirectory, kitVersion } from './kit.ts'

export interface NewAppletOptions {
  /** Lower-case letters, digits, `-` and `_`. @default the folder's name */
  readonly name?: string
  /** @default 'default' */
  readonly template?: string
}

const NAME = /^[a-z][a-z0-9_-]{0,62}$/

export async function listTemplates(): Promise<string[]> {
  const entries = await readdir(join(kitDirectory(), 'templates'), { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
}

/**
 * Writes a new applet: source, test, example event, README.
 * @param directory made when it does not exist; must be empty
 * @returns the files written, relative to the folder
 * @throws AppletSdkError NAME_INVALID, TEMPLATE_UNKNOWN, FOLDER_NOT_EMPTY
 */
export async function newApplet(directory: string, options: NewAppletOptions = {}): Promise<string[]> {
  const name = options.name ?? basename(resolve(directory))
  if (!NAME.test(name)) throw new AppletSdkError('NAME_INVALID', `an applet cannot be named ${JSON.stringify(name)}`)
  const template = options.template ?? 'default'
  const templates = await listTemplates()
  if (!templates.includes(template)) {
    throw new AppletSdkError('TEMPLATE_UNKNOWN', `no template ${template}; there are: ${templates.join(', ')}`)
  }
  if (existsSync(directory) && (await readdir(directory)).length > 0) {
    throw new AppletSdkError('FOLDER_NOT_EMPTY', `${directory} is not empty`)
  }
  const source = join(kitDirectory(), 'templates', template)
  const written: string[] = []
  for (const entry of await readdir(source, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const from = join(entry.parentPath, entry.name)
    // npm leaves files named `.gitignore` out of packages.
    const to = from.slice(source.length + 1).replace(/(^|[\\/])gitignore$/, '$1.gitignore')
    const text = (await readFile(from, 'utf8')).replaceAll('{{name}}', name).replaceAll('{{version}}', kitVersion())
    await mkdir(dirname(join(directory, to)), { recursive: true })
    await writeFile(join(directory, to), text)
    written.push(to)
  }
  return written.sort()
}

import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { basename, join, relative, resolve } from 'node:path'
import { newApplet } from '../applet-tool.ts'
import { askText } from '../ask.ts'
import { createContext, withJson } from '../context.ts'
import { examples, type Register } from '../define.ts'
import { CliError } from '../errors.ts'
import type { CliIo } from '../io.ts'
import { projectFileTemplate } from '../project-file/template.ts'

interface Options {
  readonly json?: boolean
  readonly name?: string
  readonly applet?: string
  readonly template: string
  readonly yes?: boolean
}

export const registerInit: Register = (parent, io) => {
  withJson(parent.command('init'))
    .description('begin a project: w3bstream.yaml and an applet to change')
    .argument('[directory]', 'made when it does not exist', '.')
    .option('--name <NAME>', "name of the project (default: the directory's)")
    .option('--applet <NAME>', 'name of the applet (default: asks, or main)')
    .option('--template <NAME>', "the applet's template", 'default')
    .option('-y, --yes', 'take the defaults, do not ask')
    .addHelpText(
      'after',
      examples(
        ['w3bstream init weather', 'asks for names, then writes weather/w3bstream.yaml'],
        ['w3bstream init weather --name weather --applet station --yes', 'for scripts'],
      ),
    )
    .action(async (directory: string, options: Options) => {
      const path = resolve(io.cwd, directory)
      const file = join(path, 'w3bstream.yaml')
      if (existsSync(file)) throw new CliError({ code: 'CLI_FILE', file, detail: 'exists already' })
      const { name, applet } = await names(io, path, options)
      const appletDirectory = join(path, applet)
      const files = await newApplet(appletDirectory, { name: applet, template: options.template })
      await mkdir(path, { recursive: true })
      await writeFile(file, projectFileTemplate(name, applet), { flag: 'wx' })
      const written = [file, ...files.map((one) => join(appletDirectory, one))].map((one) => relative(io.cwd, one))
      const context = createContext(io, options)
      context.print({ name, directory: path, files: written }, () => written.map((one) => `+ ${one}`).join('\n'))
      context.note(`next: ${relative(io.cwd, path) ? `cd ${relative(io.cwd, path)}; ` : ''}w3bstream project deploy`)
    })
}

const projectName = /^[a-z0-9_]{1,32}$/
const appletName = /^[a-z][a-z0-9_-]{0,62}$/

async function names(io: CliIo, path: string, options: Options): Promise<{ name: string; applet: string }> {
  const guess =
    basename(path)
      .toLowerCase()
      .replace(/[^a-z0-9_]+/g, '_')
      .slice(0, 32) || 'project'
  const ask = io.interactive && !options.yes && !options.json
  const name = options.name ?? (ask ? await askName('Name of the project', guess, projectName) : guess)
  const applet = options.applet ?? (ask ? await askName('Name of the applet', 'main', appletName) : 'main')
  for (const [flag, text, pattern] of [
    ['--name', name, projectName],
    ['--applet', applet, appletName],
  ] as const)
    if (!pattern.test(text))
      throw new CliError({ code: 'CLI_USAGE', detail: `${flag} ${text} does not match ${pattern.source}` })
  return { name, applet }
}

function askName(message: string, initialValue: string, pattern: RegExp): Promise<string> {
  return askText({
    message,
    initialValue,
    check: (text) => (pattern.test(text) ? undefined : `wanted ${pattern.source}`),
  })
}

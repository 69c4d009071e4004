import { relative, resolve } from 'node:path'
import { newApplet } from '../../applet-tool.ts'
import { createContext, withJson } from '../../context.ts'
import { examples, type Register } from '../../define.ts'

interface Options {
  readonly json?: boolean
  readonly name?: string
  readonly template?: string
}

export const registerNew: Register = (parent, io) => {
  withJson(parent.command('new'))
    .description('write a new applet: source, test, example event')
    .argument('<directory>', 'made when it does not exist; must be empty')
    .option('--name <NAME>', "name (default: the directory's)")
    .option('--template <NAME>', 'template to begin with', 'default')
    .addHelpText('after', examples(['w3bstream applet new station', 'then "w3bstream applet test station"']))
    .action(async (directory: string, { json, name, template }: Options) => {
      const path = resolve(io.cwd, directory)
      const files = await newApplet(path, { name, template })
      createContext(io, { json }).print({ directory: path, files }, () =>
        files.map((file) => `+ ${relative(io.cwd, resolve(path, file))}`).join('\n'),
      )
    })
}

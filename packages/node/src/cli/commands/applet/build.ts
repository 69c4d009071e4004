import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, parse, relative, resolve, sep } from 'node:path'
import { buildApplet, rootSourceMap } from '../../applet-tool.ts'
import { createContext, withJson } from '../../context.ts'
import { examples, type Register } from '../../define.ts'
import { examineModule } from '../../examine-module.ts'
import { rememberMap } from '../../source-maps/map-store.ts'

interface Options {
  readonly json?: boolean
  readonly out?: string
  readonly debug?: boolean
}

export const registerBuild: Register = (parent, io) => {
  withJson(parent.command('build'))
    .description('compile an applet, and examine it as the node would')
    .argument('[source]', 'folder with assembly/index.ts, or one source file', '.')
    .option('-o, --out <FILE>', 'the module (default: build/NAME.wasm beside the source)')
    .option('--debug', 'keep names of functions in the module; not optimised')
    .addHelpText(
      'after',
      examples(
        ['w3bstream applet build station', 'makes station/build/station.wasm, and its source map beside it'],
        ['w3bstream applet build station --out station.wasm --json', 'size, handlers and imports for scripts'],
      ),
    )
    .action(async (source: string, { json, out, debug }: Options) => {
      const context = createContext(io, { json })
      const path = resolve(io.cwd, source)
      const { wasm, warnings, sourceMap, directory } = await buildApplet(path, { debug })
      const { handlers } = await examineModule(wasm, source)
      const file = out ? resolve(io.cwd, out) : defaultOutput(path)
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, wasm)
      const map = `${file}.map`
      // Of use wherever both folders are taken together.
      const sourceRoot = relative(dirname(file), directory).replaceAll(sep, '/')
      await writeFile(map, JSON.stringify({ ...sourceMap, sourceRoot }))
      await rememberMap(io.env, await rootSourceMap(sourceMap, directory))
      for (const warning of warnings) context.note(`warning ${warning}`)
      context.print(
        { file, map, bytes: wasm.length, handlers, warnings },
        () => `${file}: ${wasm.length} bytes, handlers ${handlers.join(', ')}`,
      )
    })
}

function defaultOutput(path: string): string {
  const { dir, name, ext } = parse(path)
  return join(ext ? dir : path, 'build', `${name}.wasm`)
}

import { existsSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { AppletSdkError } from './errors.ts'
import { kitDirectory, kitInstalledFor, kitName } from './kit.ts'
import { webAssembly } from './webassembly.ts'

export interface BuildOptions {
  /** `speed` or `size`. @default 'speed' */
  readonly optimize?: 'speed' | 'size'
  /** Names of functions and line numbers stay in the module, nothing is optimised. @default false */
  readonly debug?: boolean
}

export interface BuildStats {
  readonly bytes: number
  readonly durationMs: number
  /** Functions that strategies may name. */
  readonly handlers: readonly string[]
  /** Host functions that the applet uses, as `module.name`. */
  readonly imports: readonly string[]
}

export interface BuiltApplet {
  readonly wasm: Uint8Array<ArrayBuffer>
  readonly stats: BuildStats
  readonly warnings: readonly string[]
}

const OUTPUT = 'applet.wasm'
/** Not on disk: a second entry that adds the export which the host needs. */
const ALLOC_ENTRY = 'w3bstream-alloc.ts'
const ALLOC_SOURCE = `export { alloc } from '${kitName}'\n`
const EXPORTS_ALLOC = /export\s+(function\s+alloc\b|\{[^}]*\balloc\b[^}]*\})/
/** The compiler's number for warnings. */
const WARNING = 2

/**
 * Compiles an applet with AssemblyScript.
 * @param path a folder with `assembly/index.ts`, or one source file
 * @throws AppletSdkError ENTRY_NOT_FOUND, COMPILE_FAILED
 */
export async function buildApplet(path: string, options: BuildOptions = {}): Promise<BuiltApplet> {
  const { directory, entry } = locate(path)
  const asc = await import('assemblyscript/asc')
  const warnings: string[] = []
  const stderr = asc.createMemoryStream()
  const output = new Map<string, string | Uint8Array>()
  const began = performance.now()
  const source = await readFile(join(directory, entry), 'utf8')
  const entries = EXPORTS_ALLOC.test(source) ? [entry] : [entry, ALLOC_ENTRY]
  const { error } = await asc.main([...entries, ...compilerArguments(options), '--baseDir', directory], {
    stdout: asc.createMemoryStream(),
    stderr,
    readFile: sourceReader(directory),
    writeFile: (name, contents) => void output.set(name, contents),
    listFiles: () => [],
    reportDiagnostic: (diagnostic) => {
      if (diagnostic.category === WARNING) warnings.push(describe(diagnostic))
    },
  })
  const wasm = output.get(OUTPUT)
  if (error || !(wasm instanceof Uint8Array)) {
    throw new AppletSdkError('COMPILE_FAILED', `${join(directory, entry)} does not compile`, [stderr.toString().trim()])
  }
  const copy = Uint8Array.from(wasm)
  return { wasm: copy, warnings, stats: { ...interfaceOf(copy), durationMs: performance.now() - began } }
}

function locate(path: string): { directory: string; entry: string } {
  const full = resolve(path)
  if (!existsSync(full)) throw new AppletSdkError('ENTRY_NOT_FOUND', `${path} does not exist`)
  if (!statSync(full).isDirectory()) return { directory: dirname(full), entry: basename(full) }
  if (existsSync(join(full, 'assembly', 'index.ts'))) return { directory: full, entry: 'assembly/index.ts' }
  throw new AppletSdkError('ENTRY_NOT_FOUND', `${path} has no assembly/index.ts`)
}

function compilerArguments(options: BuildOptions): string[] {
  const level = options.debug
    ? ['--debug']
    : options.optimize === 'size'
      ? ['--optimizeLevel', '2', '--shrinkLevel', '2']
      : ['--optimizeLevel', '3']
  return ['--outFile', OUTPUT, '--noColors', ...level]
}

/** Reads from disk; serves this package's own kit to an applet that has none installed. */
function sourceReader(directory: string): (name: string, base: string) => Promise<string | null> {
  const bundled = !kitInstalledFor(directory)
  const marker = `${sep}node_modules${sep}${kitName.replace('/', sep)}${sep}`
  return async (name, base) => {
    if (name === ALLOC_ENTRY) return ALLOC_SOURCE
    const path = resolve(base, name)
    const inside = bundled ? path.split(marker)[1] : undefined
    return readFile(inside === undefined ? path : join(kitDirectory(), inside), 'utf8').catch(() => null)
  }
}

interface Diagnostic {
  readonly message: string
  readonly code: number
  readonly range?: { readonly start: number; readonly source: { readonly normalizedPath: string } | null } | null
}

function describe(diagnostic: Diagnostic): string {
  const place = diagnostic.range?.source?.normalizedPath
  return `AS${diagnostic.code}: ${diagnostic.message}${place ? ` (${place})` : ''}`
}

function interfaceOf(wasm: Uint8Array<ArrayBuffer>): Omit<BuildStats, 'durationMs'> {
  const module = new webAssembly.Module(wasm)
  const handlers = webAssembly.Module.exports(module)
    .filter((entry) => entry.kind === 'function' && entry.name !== 'alloc' && !entry.name.startsWith('_'))
    .map((entry) => entry.name)
  const imports = webAssembly.Module.imports(module).map((entry) => `${entry.module}.${entry.name}`)
  return { bytes: wasm.length, handlers, imports }
}

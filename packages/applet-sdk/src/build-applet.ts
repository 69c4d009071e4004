import { createHash } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { makeSourceMap } from './debug/make-source-map.ts'
import { withoutSections } from './debug/sections.ts'
import type { SourceMapFile } from './debug/source-map.ts'
import { AppletSdkError, type SourceProblem } from './errors.ts'
import { kitDirectory, kitInstalledFor, kitName } from './kit.ts'
import { webAssembly } from './webassembly.ts'

export interface BuildOptions {
  /** `speed` or `size`. @default 'speed' */
  readonly optimize?: 'speed' | 'size'
  /** Names of functions stay in the module, nothing is optimised. @default false */
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
  /** Where the code comes from. Sources are relative to {@link directory}. It is not in the module, whose bytes do not depend on it. */
  readonly sourceMap: SourceMapFile
  /** Absolute path of the folder that was compiled. */
  readonly directory: string
  /**
   * SHA-256, in hex, of all files that were looked for, as they were read, by absolute path; null: there was none. A change of
   * one of them may change the module.
   */
  readonly sources: ReadonlyMap<string, string | null>
}

const OUTPUT = 'applet.wasm'
/** Not on disk: a second entry that adds the export which the host needs. */
const ALLOC_ENTRY = 'w3bstream-alloc.ts'
const ALLOC_SOURCE = `export { alloc } from '${kitName}'\n`
const EXPORTS_ALLOC = /export\s+(function\s+alloc\b|\{[^}]*\balloc\b[^}]*\})/
/** The compiler's numbers for what a diagnostic is. */
const WARNING = 2
const ERROR = 3
/** What tools need and the node does not: names would change the hash of a module whose code is the same. */
const DEBUG_SECTIONS = new Set(['name', 'sourceMappingURL'])

/**
 * Compiles an applet with AssemblyScript.
 * @param path a folder with `assembly/index.ts`, or one source file
 * @throws AppletSdkError ENTRY_NOT_FOUND, COMPILE_FAILED
 */
export async function buildApplet(path: string, options: BuildOptions = {}): Promise<BuiltApplet> {
  const { directory, entry } = locate(path)
  const asc = await import('assemblyscript/asc')
  const warnings: string[] = []
  const problems: SourceProblem[] = []
  const stderr = asc.createMemoryStream()
  const output = new Map<string, string | Uint8Array>()
  const sources = new Map<string, SourceText | null>()
  const began = performance.now()
  const read = await readSource(join(directory, entry))
  sources.set(join(directory, entry), read)
  const source = read.text
  const entries = EXPORTS_ALLOC.test(source) ? [entry] : [entry, ALLOC_ENTRY]
  const { error } = await asc.main([...entries, ...compilerArguments(options), '--baseDir', directory], {
    stdout: asc.createMemoryStream(),
    stderr,
    readFile: sourceReader(directory, sources),
    writeFile: (name, contents) => void output.set(name, contents),
    listFiles: () => [],
    reportDiagnostic: (diagnostic) => {
      if (diagnostic.category === WARNING) warnings.push(describe(diagnostic))
      else if (diagnostic.category === ERROR) problems.push(problemOf(diagnostic, directory, sources))
    },
  })
  const wasm = output.get(OUTPUT)
  if (error || !(wasm instanceof Uint8Array)) {
    const message = `${join(directory, entry)} does not compile`
    throw new AppletSdkError('COMPILE_FAILED', message, [stderr.toString().trim()], {
      problems,
      sources: digestsOf(sources),
    })
  }
  const module = withoutSections(wasm, options.debug ? new Set(['sourceMappingURL']) : DEBUG_SECTIONS)
  return {
    wasm: module,
    warnings,
    stats: { ...interfaceOf(module), durationMs: performance.now() - began },
    sourceMap: makeSourceMap(String(output.get(`${OUTPUT}.map`)), { compiled: wasm, module }),
    directory,
    sources: digestsOf(sources),
  }
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
    ? []
    : options.optimize === 'size'
      ? ['--optimizeLevel', '2', '--shrinkLevel', '2']
      : ['--optimizeLevel', '3']
  // Neither changes the code: the map is a file of its own, and the names are taken out again.
  return ['--outFile', OUTPUT, '--noColors', '--sourceMap', '--debug', ...level]
}

interface SourceText {
  readonly text: string
  /** SHA-256 of the bytes, hex. */
  readonly digest: string
}

async function readSource(file: string): Promise<SourceText> {
  const bytes = await readFile(file)
  return { text: bytes.toString('utf8'), digest: createHash('sha256').update(bytes).digest('hex') }
}

function digestsOf(sources: ReadonlyMap<string, SourceText | null>): ReadonlyMap<string, string | null> {
  return new Map([...sources].map(([file, source]) => [file, source?.digest ?? null]))
}

/** Reads from disk; serves this package's own kit to an applet that has none installed. */
function sourceReader(
  directory: string,
  sources: Map<string, SourceText | null>,
): (name: string, base: string) => Promise<string | null> {
  const bundled = !kitInstalledFor(directory)
  const marker = `${sep}node_modules${sep}${kitName.replace('/', sep)}${sep}`
  return async (name, base) => {
    if (name === ALLOC_ENTRY) return ALLOC_SOURCE
    const path = resolve(base, name)
    const inside = bundled ? path.split(marker)[1] : undefined
    const file = inside === undefined ? path : join(kitDirectory(), inside)
    const source = await readSource(file).catch(() => null)
    sources.set(file, source)
    return source?.text ?? null
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

/** @param sources by absolute path */
function problemOf(
  { message, code, range }: Diagnostic,
  directory: string,
  sources: ReadonlyMap<string, SourceText | null>,
): SourceProblem {
  const name = range?.source?.normalizedPath ?? ''
  const file = join(directory, name)
  const text = sources.get(file)?.text
  if (!range || text === undefined) return { code, message, file: name, line: 0, column: 0 }
  const before = text.slice(0, range.start).split('\n')
  return { code, message, file, line: before.length, column: before.at(-1)!.length + 1 }
}

function interfaceOf(wasm: Uint8Array<ArrayBuffer>): Omit<BuildStats, 'durationMs'> {
  const module = new webAssembly.Module(wasm)
  const handlers = webAssembly.Module.exports(module)
    .filter((entry) => entry.kind === 'function' && entry.name !== 'alloc' && !entry.name.startsWith('_'))
    .map((entry) => entry.name)
  const imports = webAssembly.Module.imports(module).map((entry) => `${entry.module}.${entry.name}`)
  return { bytes: wasm.length, handlers, imports }
}

import { resolve, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { decodedMappings, type SourceMapSegment, TraceMap } from '@jridgewell/trace-mapping'

/**
 * The source map of a module (ECMA-426; for WebAssembly the line is 1 and the column an offset in the file), with two members
 * of our own: whose map it is, and what its functions are called and where they begin.
 */
export interface SourceMapFile {
  readonly version: 3
  readonly sources: readonly string[]
  readonly sourcesContent?: readonly (string | null)[]
  /** What relative sources are relative to. */
  readonly sourceRoot?: string
  readonly names: readonly string[]
  readonly mappings: string
  /** SHA-256 of the module, hexadecimal without prefix: what receipts call `codeHash`. */
  readonly x_codeHash: string
  /** By index among all functions of the module. */
  readonly x_functions: Readonly<Record<string, string>>
  /** Offsets at which the bodies of functions begin, ascending. */
  readonly x_bodies: readonly number[]
}

/** A place in a module: a guest's frame, as traces of the engine have them. */
export interface ModulePlace {
  /** Index among all functions; left out where only the offset is known. */
  readonly function?: number
  readonly name?: string
  /** In the file, bytes. */
  readonly offset: number
}

/** A place in the source; line and column count from 1. */
export interface SourcePosition {
  /** Absolute path of a file of the applet; the name of a file of the compiler's library or a package. */
  readonly file: string
  readonly line: number
  readonly column: number
}

export interface SourcePlace extends SourcePosition {
  readonly function: string | undefined
  /**
   * For a place in a library that was compiled into a function of the applet: the last line of the applet itself before it.
   * Maps do not say where code was copied to, so this is the caller in most cases, not in all.
   */
  readonly near?: SourcePosition
}

/** Where the compiler puts its own library and packages. */
const library = '~lib/'

/** Makes places in a module places in its source. */
export class SourceMap {
  readonly #file: SourceMapFile
  readonly #segments: readonly SourceMapSegment[]

  /** @throws Error for what is no source map */
  constructor(file: SourceMapFile) {
    this.#file = file
    const { mappings } = file
    const map = new TraceMap({ version: 3, names: [], sources: [...file.sources], mappings })
    this.#segments = decodedMappings(map)[0] ?? []
  }

  /** Undefined for code that no source stands for, such as what the compiler makes by itself. */
  placeOf({ function: index, offset }: ModulePlace): SourcePlace | undefined {
    const positions = this.#before(offset)
    const at = positions[0] ?? this.#after(offset)
    if (at === undefined) return undefined
    const name = index === undefined ? undefined : this.#file.x_functions[index]
    const near = this.#isLibrary(at) ? positions.find((segment) => !this.#isLibrary(segment)) : undefined
    return {
      function: name === undefined ? undefined : shortFunctionName(name),
      ...this.#positionOf(at),
      ...(near && { near: this.#positionOf(near) }),
    }
  }

  /** Segments with a source from `offset` back to the beginning of its function. The trap after a call has none of its own. */
  #before(offset: number): MappedSegment[] {
    const begin = this.#file.x_bodies.findLast((body) => body <= offset) ?? 0
    return this.#segments
      .filter((segment): segment is MappedSegment => segment.length > 1 && segment[0] >= begin && segment[0] <= offset)
      .reverse()
  }

  /** The first segment with a source behind `offset` in its function: the head of a loop has none of its own. */
  #after(offset: number): MappedSegment | undefined {
    const end = this.#file.x_bodies.find((body) => body > offset) ?? Number.POSITIVE_INFINITY
    return this.#segments.find(
      (segment): segment is MappedSegment => segment.length > 1 && segment[0] > offset && segment[0] < end,
    )
  }

  #isLibrary(segment: MappedSegment): boolean {
    return (this.#file.sources[segment[1]] ?? '').startsWith(library)
  }

  #positionOf([, source, line, column]: MappedSegment): SourcePosition {
    return { file: this.#fileOf(this.#file.sources[source] ?? ''), line: line + 1, column: column + 1 }
  }

  #fileOf(source: string): string {
    if (source.startsWith(library)) return source.slice(library.length)
    const { sourceRoot } = this.#file
    return sourceRoot?.startsWith('file:') ? resolve(fileURLToPath(sourceRoot), source) : source
  }
}

/** Offset in the module, source, line and column from 0. */
type MappedSegment = Exclude<SourceMapSegment, [number]>

/** The map with absolute places for this machine. @param directory which the sources are relative to */
export function rootedAt(map: SourceMapFile, directory: string): SourceMapFile {
  return { ...map, sourceRoot: pathToFileURL(resolve(directory) + sep).href }
}

/** `assembly/index/start` is `start`, `~lib/array/Array<~lib/string/String>#push` is `Array<String>#push`. */
export function shortFunctionName(name: string): string {
  return name.replace(/[~\w@.-]+\//g, '')
}

/** A frame as text: the source where it is known, else the offset. @param display how paths of the applet's files are shown */
export function frameText(
  place: ModulePlace,
  source: SourcePlace | undefined,
  display = (file: string) => file,
): string {
  const name = source?.function ?? (place.name === undefined ? undefined : shortFunctionName(place.name))
  const offset = `@ 0x${place.offset.toString(16)}`
  if (!source) return `${name ?? `function ${place.function ?? '?'}`} ${offset}`
  const text = ({ file, line, column }: SourcePosition) => `${display(file)}:${line}:${column}`
  return `${name ?? 'function'} (${text(source)}${source.near ? `, called near ${text(source.near)}` : ''})`
}

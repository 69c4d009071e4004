import { isMap, LineCounter, type ParsedNode, parseDocument } from 'yaml'
import { CliError, type FileProblem } from '../errors.ts'
import { checkMeaning } from './check-meaning.ts'
import { checkShape, type ShapeProblem } from './check-shape.ts'
import { type ProjectFile, projectFileSchema } from './schema.ts'
import { unsupported } from './unsupported.ts'
import { fillVariables } from './variables.ts'

/** Longest project file that is read, characters. */
const lengthLimit = 4 * 1024 * 1024

/** Aliases resolved before a file counts as a bomb of repetitions. */
const aliasLimit = 100

type Document = ReturnType<typeof parseDocument>

/**
 * Reads a project file.
 * @param name how messages call the file
 * @param environment variables that values of `env` may name as `${NAME}`
 * @throws CliError PROJECT_FILE_INVALID with every mistake at its line; PROJECT_FILE_UNSUPPORTED
 */
export function readProjectFile(
  text: string,
  name: string,
  environment: Readonly<Record<string, string | undefined>> = {},
): ProjectFile {
  const invalid = (problems: readonly FileProblem[]) =>
    new CliError({ code: 'PROJECT_FILE_INVALID', file: name, problems })
  if (text.length > lengthLimit)
    throw invalid([{ line: 1, column: 1, path: '', message: `longer than ${lengthLimit} characters` }])
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, strict: true, version: '1.2' })
  const problems: FileProblem[] = document.errors.map((error) => ({
    ...position(lines, error.pos[0]),
    path: '',
    message: firstLine(error.message),
  }))
  if (problems.length > 0) throw invalid(problems)
  const value = toValue(document, invalid)
  const shape = checkShape(projectFileSchema, value)
  const meaning = checkMeaning(wellFormed(value, shape))
  const locate = (problem: ShapeProblem) => locateProblem(document, lines, problem)
  if (shape.length + meaning.length > 0) throw invalid([...shape, ...meaning].map(locate).sort(byPlace))
  const missing: ShapeProblem[] = []
  const file = fillVariables(value as ProjectFile, environment, missing)
  if (missing.length > 0) throw invalid(missing.map(locate).sort(byPlace))
  const beyond = unsupported(file)
  if (beyond.length > 0)
    throw new CliError({ code: 'PROJECT_FILE_UNSUPPORTED', file: name, problems: beyond.map(locate) })
  return file
}

function toValue(document: Document, invalid: (problems: FileProblem[]) => CliError): unknown {
  try {
    return document.toJS({ maxAliasCount: aliasLimit })
  } catch (error) {
    throw invalid([{ line: 1, column: 1, path: '', message: (error as Error).message }])
  }
}

/** The sections without a mistake of shape, which can be looked at further. */
function wellFormed(value: unknown, problems: readonly ShapeProblem[]): Partial<ProjectFile> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {}
  const wrong = new Set(problems.map((problem) => problem.path[0]))
  return Object.fromEntries(Object.entries(value).filter(([section]) => !wrong.has(section)))
}

function locateProblem(document: Document, lines: LineCounter, { path, atKey, message }: ShapeProblem): FileProblem {
  return { ...position(lines, offsetOf(document, path, atKey ?? false)), path: pathText(path), message }
}

/** Where a value begins, or its key; the nearest thing around it when it is not written down. */
function offsetOf(document: Document, path: readonly (string | number)[], atKey: boolean): number {
  if (atKey) {
    const parent = path.length > 1 ? document.getIn(path.slice(0, -1), true) : document.contents
    const pair = isMap(parent) ? parent.items.find(({ key }) => String(key) === String(path.at(-1))) : undefined
    const key = pair?.key as ParsedNode | undefined
    if (key?.range) return key.range[0]
  }
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true) as ParsedNode | undefined
    if (node?.range) return node.range[0]
  }
  return document.contents?.range?.[0] ?? 0
}

function position(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset)
  return { line: Math.max(1, line), column: Math.max(1, col) }
}

/** `applets[0].routes[1].handler` */
function pathText(path: readonly (string | number)[]): string {
  return path.map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i > 0 ? '.' : ''}${part}`)).join('')
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? text
}

function byPlace(a: FileProblem, b: FileProblem): number {
  return a.line - b.line || a.column - b.column
}

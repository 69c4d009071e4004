import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { isAbsolute, join, relative } from 'node:path'
import { type BuildStats, type BuiltApplet, buildApplet } from '../build-applet.ts'
import { frameText, rootedAt, SourceMap } from '../debug/source-map.ts'
import type { AppletEngine } from '../engine-contract.ts'
import { AppletSdkError } from '../errors.ts'
import type { DatabaseSchema, OpenDatabase } from '../simulation/database.ts'
import { type SimulatedResult, simulate } from '../simulation/simulate.ts'
import { checkResult } from './check-result.ts'
import { type HandlerCoverage, handlerCoverage } from './coverage.ts'
import { compareGolden, type GoldenReceipt, goldenReceipt } from './golden.ts'
import { parseTestFile, type TestEvent, type TestFile } from './test-file.ts'

export interface TestAppletOptions {
  /** Only test files whose name contains this. @default all */
  readonly filter?: string
  /** Makes the tables of tests. @default SQLite in memory */
  readonly openDatabase?: OpenDatabase
  /** Golden receipts: compared where a test has a file of them, written anew, or left alone. @default 'compare' */
  readonly golden?: 'compare' | 'update' | 'ignore'
  /**
   * Makes the schema of a test's `tables`, which have the form of the project file.
   * @throws Error when they do not
   */
  readonly databaseOf?: (tables: unknown) => DatabaseSchema
  /** Share by which the fuel of a golden receipt may differ. @default 0 */
  readonly fuelTolerance?: number
}

/** A module to test; without a source map places of traps are told by their offsets. */
export type TestedApplet = Pick<BuiltApplet, 'wasm' | 'stats' | 'warnings'> &
  Partial<Pick<BuiltApplet, 'sourceMap' | 'directory'>>

export interface EventReport {
  readonly handler: string
  /** What differed; none when the event did what the test expects. */
  readonly mistakes: readonly string[]
  /** Where a handler that failed was, innermost first: file, line and column where the source map knows them. */
  readonly trace: readonly string[]
  readonly result: SimulatedResult
}

export interface FileReport {
  readonly file: string
  readonly description: string
  /** A failure before or between the events: the file cannot be read, its tables cannot be made. */
  readonly problem?: string
  /** What differs from the golden receipts; none also when there are none to compare with. */
  readonly golden: readonly string[]
  readonly events: readonly EventReport[]
}

export interface TestReport {
  readonly build: BuildStats
  readonly warnings: readonly string[]
  readonly files: readonly FileReport[]
  readonly coverage: HandlerCoverage
  readonly passed: number
  readonly failed: number
}

const SUFFIX = '.test.json'
/** Beside the test: what its events came to when somebody last looked and found it right. */
const GOLDEN_SUFFIX = '.golden.json'

/**
 * Builds the applet in a folder and runs its `*.test.json` files, each against a node of its own.
 * @throws AppletSdkError NO_TESTS, and what building throws
 */
export async function testApplet(
  directory: string,
  engine: AppletEngine,
  options: TestAppletOptions = {},
): Promise<TestReport> {
  await findTests(directory, options.filter)
  return testBuiltApplet(directory, await buildApplet(directory), engine, options)
}

/** Runs the tests of a folder on a module that was built from it. @throws AppletSdkError NO_TESTS */
export async function testBuiltApplet(
  directory: string,
  { wasm, stats, warnings, sourceMap, directory: root = directory }: TestedApplet,
  engine: AppletEngine,
  options: TestAppletOptions = {},
): Promise<TestReport> {
  const files: FileReport[] = []
  const trace = tracer(sourceMap && new SourceMap(rootedAt(sourceMap, root)), directory)
  for (const name of await findTests(directory, options.filter))
    files.push(await runFile(directory, name, { wasm, trace }, engine, options))
  const failed = files.filter((file) => !passed(file)).length
  const coverage = handlerCoverage(engine.load(wasm).handlers, files)
  return { build: stats, warnings, files, coverage, passed: files.length - failed, failed }
}

export function passed(file: FileReport): boolean {
  const { problem, golden, events } = file
  return problem === undefined && golden.length === 0 && events.every((event) => event.mistakes.length === 0)
}

async function findTests(directory: string, filter = ''): Promise<string[]> {
  const folder = join(directory, 'tests')
  const found = existsSync(folder) ? await readdir(folder, { recursive: true }) : []
  const names = found.filter((name) => name.endsWith(SUFFIX) && name.includes(filter)).sort()
  if (names.length > 0) return names
  throw new AppletSdkError('NO_TESTS', `${directory} has no file tests/*${SUFFIX} to run`)
}

async function runFile(
  directory: string,
  name: string,
  { wasm, trace }: { wasm: Uint8Array; trace: Tracer },
  engine: AppletEngine,
  options: TestAppletOptions,
): Promise<FileReport> {
  const events: EventReport[] = []
  let description = ''
  try {
    const test = parseTestFile(name, await readFile(join(directory, 'tests', name), 'utf8'))
    description = test.description ?? ''
    const simulation = await simulate(wasm, engine, simulationOf(test, options))
    for (const event of test.events) {
      const result = await simulation.send({
        handler: event.handler,
        payload: payloadOf(event),
        ...accumulatorOf(event),
        ...(event.topic === undefined ? {} : { topic: event.topic }),
        ...(event.device === undefined ? {} : { device: event.device }),
        ...(event.signed === undefined ? {} : { signed: event.signed }),
      })
      events.push({
        handler: event.handler,
        result,
        mistakes: checkResult(event.expect ?? {}, result, simulation.host),
        trace: trace(result.outcome),
      })
    }
    const golden = await checkGolden(join(directory, 'tests', name), events, options)
    return { file: name, description, events, golden }
  } catch (error) {
    return {
      file: name,
      description,
      events,
      golden: [],
      problem: error instanceof Error ? error.message : String(error),
    }
  }
}

type Tracer = (outcome: SimulatedResult['outcome']) => readonly string[]

/** Frames as text, with the applet's files relative to its folder. */
function tracer(map: SourceMap | undefined, directory: string): Tracer {
  const display = (file: string) => (isAbsolute(file) ? relative(directory, file) : file)
  return (outcome) =>
    (outcome.type === 'failed' && outcome.trace ? outcome.trace : []).map((frame) =>
      frameText(frame, map?.placeOf(frame), display),
    )
}

/** Compares the events of a story with its golden file, or writes the file. */
async function checkGolden(
  testPath: string,
  events: readonly EventReport[],
  { golden: mode = 'compare', fuelTolerance }: TestAppletOptions,
): Promise<string[]> {
  const path = testPath.replace(SUFFIX, GOLDEN_SUFFIX)
  const actual = events.map(({ handler, result }) => goldenReceipt(handler, result))
  if (mode === 'update') await writeFile(path, `${JSON.stringify(actual, undefined, 2)}\n`)
  if (mode !== 'compare' || !existsSync(path)) return []
  return compareGolden(await readGolden(path), actual, fuelTolerance)
}

async function readGolden(path: string): Promise<readonly GoldenReceipt[]> {
  const invalid = (problem: string) =>
    new AppletSdkError('GOLDEN_INVALID', `${path} ${problem}; --update writes it anew`)
  let golden: unknown
  try {
    golden = JSON.parse(await readFile(path, 'utf8'))
  } catch {
    throw invalid('is not JSON')
  }
  const isReceipt = (one: unknown) => typeof one === 'object' && one !== null && 'handler' in one && 'fuel' in one
  if (!Array.isArray(golden) || !golden.every(isReceipt)) throw invalid('is no list of receipts')
  return golden as GoldenReceipt[]
}

function simulationOf(test: TestFile, options: TestAppletOptions): Parameters<typeof simulate>[2] {
  const { env, tables, answers, refuseTransactions } = test
  if (tables !== undefined && options.databaseOf === undefined)
    throw new AppletSdkError('TEST_FILE_INVALID', 'whoever runs this test does not know the form of "tables"')
  const database = tables === undefined ? test.database : options.databaseOf?.(tables)
  const reads = test.reads?.map(({ chainId, ...read }) =>
    chainId === undefined ? read : { ...read, chainId: BigInt(chainId) },
  )
  return { env, database, reads, answers, refuseTransactions, openDatabase: options.openDatabase }
}

function accumulatorOf({ accumulator }: TestEvent): { accumulator?: string | null } {
  if (accumulator === undefined) return {}
  if (accumulator === null || typeof accumulator === 'string') return { accumulator }
  return { accumulator: JSON.stringify(accumulator) }
}

function payloadOf(event: TestEvent): Uint8Array | string {
  if (event.payloadHex !== undefined) return Buffer.from(event.payloadHex.replace(/^0x/, ''), 'hex')
  if (event.payload === undefined) return ''
  return typeof event.payload === 'string' ? event.payload : JSON.stringify(event.payload)
}

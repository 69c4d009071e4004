import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type BuildStats, buildApplet } from '../build-applet.ts'
import type { AppletEngine } from '../engine-contract.ts'
import { AppletSdkError } from '../errors.ts'
import type { OpenDatabase } from '../simulation/database.ts'
import { type SimulatedResult, simulate } from '../simulation/simulate.ts'
import { checkResult } from './check-result.ts'
import { parseTestFile, type TestEvent, type TestFile } from './test-file.ts'

export interface TestAppletOptions {
  /** Only test files whose name contains this. @default all */
  readonly filter?: string
  /** Makes the tables of tests. @default SQLite in memory */
  readonly openDatabase?: OpenDatabase
}

export interface EventReport {
  readonly handler: string
  /** What differed; none when the event did what the test expects. */
  readonly mistakes: readonly string[]
  readonly result: SimulatedResult
}

export interface FileReport {
  readonly file: string
  readonly description: string
  /** A failure before or between the events: the file cannot be read, its tables cannot be made. */
  readonly problem?: string
  readonly events: readonly EventReport[]
}

export interface TestReport {
  readonly build: BuildStats
  readonly warnings: readonly string[]
  readonly files: readonly FileReport[]
  readonly passed: number
  readonly failed: number
}

const SUFFIX = '.test.json'

/**
 * Builds the applet in a folder and runs its `*.test.json` files, each against a node of its own.
 * @throws AppletSdkError NO_TESTS, and what building throws
 */
export async function testApplet(
  directory: string,
  engine: AppletEngine,
  options: TestAppletOptions = {},
): Promise<TestReport> {
  const names = await findTests(directory, options.filter)
  if (names.length === 0) throw new AppletSdkError('NO_TESTS', `${directory} has no file tests/*${SUFFIX} to run`)
  const { wasm, stats, warnings } = await buildApplet(directory)
  const files: FileReport[] = []
  for (const name of names) files.push(await runFile(directory, name, wasm, engine, options))
  const failed = files.filter((file) => !passed(file)).length
  return { build: stats, warnings, files, passed: files.length - failed, failed }
}

export function passed(file: FileReport): boolean {
  return file.problem === undefined && file.events.every((event) => event.mistakes.length === 0)
}

async function findTests(directory: string, filter = ''): Promise<string[]> {
  const folder = join(directory, 'tests')
  if (!existsSync(folder)) return []
  const found = await readdir(folder, { recursive: true })
  return found.filter((name) => name.endsWith(SUFFIX) && name.includes(filter)).sort()
}

async function runFile(
  directory: string,
  name: string,
  wasm: Uint8Array,
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
        ...(event.topic === undefined ? {} : { topic: event.topic }),
        ...(event.device === undefined ? {} : { device: event.device }),
        ...(event.signed === undefined ? {} : { signed: event.signed }),
      })
      events.push({
        handler: event.handler,
        result,
        mistakes: checkResult(event.expect ?? {}, result, simulation.host),
      })
    }
    return { file: name, description, events }
  } catch (error) {
    return { file: name, description, events, problem: error instanceof Error ? error.message : String(error) }
  }
}

function simulationOf(test: TestFile, options: TestAppletOptions): Parameters<typeof simulate>[2] {
  const { env, database, answers, refuseTransactions } = test
  const reads = test.reads?.map(({ chainId, ...read }) =>
    chainId === undefined ? read : { ...read, chainId: BigInt(chainId) },
  )
  return { env, database, reads, answers, refuseTransactions, openDatabase: options.openDatabase }
}

function payloadOf(event: TestEvent): Uint8Array | string {
  if (event.payloadHex !== undefined) return Buffer.from(event.payloadHex.replace(/^0x/, ''), 'hex')
  if (event.payload === undefined) return ''
  return typeof event.payload === 'string' ? event.payload : JSON.stringify(event.payload)
}

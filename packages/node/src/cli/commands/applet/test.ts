import { join, resolve } from 'node:path'
import { InvalidArgumentError } from 'commander'
import { testApplet } from '../../applet-tool.ts'
import { type Context, createContext, withJson } from '../../context.ts'
import { examples, type Register } from '../../define.ts'
import { CliError } from '../../errors.ts'
import { errorJson, errorText } from '../../output.ts'

interface Options {
  readonly json?: boolean
  readonly filter?: string
  readonly update?: boolean
  readonly fuelTolerance: number
  readonly minCoverage: number
  readonly watch?: boolean
}

export const registerTest: Register = (parent, io) => {
  withJson(parent.command('test'))
    .description("run an applet's tests/*.test.json on the node's engine, against a simulated host")
    .argument('[directory]', 'the applet', '.')
    .option('--filter <TEXT>', 'only test files whose name contains this')
    .option('--update', 'write what each event came to as tests/NAME.golden.json, to compare with from now on')
    .option('--fuel-tolerance <PERCENT>', 'how far the fuel of golden receipts may differ', percentage, 0)
    .option('--min-coverage <PERCENT>', 'fail when tests call fewer of the handlers', percentage, 0)
    .option('-w, --watch', 'again whenever a source or a test is saved, until Ctrl-C')
    .addHelpText(
      'after',
      examples(
        ['w3bstream applet test station', 'builds and runs all tests'],
        ['w3bstream applet test station --filter day --json', 'some of them, for scripts'],
        ['w3bstream applet test station --update', 'keeps the results as golden receipts'],
        ['w3bstream applet test station --watch', 'while you write'],
      ),
    )
    .action(async (directory: string, options: Options) => {
      const path = resolve(io.cwd, directory)
      const context = createContext(io, options)
      if (options.watch) await testAndWatch(path, context, options)
      else await runTests(path, context, options)
    })
}

/** @throws CliError CLI_CHECK_FAILED; AppletSdkError */
async function runTests(path: string, context: Context, options: Options): Promise<void> {
  const { filter, update, fuelTolerance, minCoverage } = options
  const { report, text } = await testApplet(path, {
    filter,
    golden: update ? 'update' : 'compare',
    fuelTolerance: fuelTolerance / 100,
  })
  context.print(reportJson(report), () => text)
  if (update) context.note(`golden receipts of ${report.files.length} test files written`)
  if (report.failed > 0) throw new CliError({ code: 'CLI_CHECK_FAILED', detail: `${report.failed} tests failed` })
  const { percent } = report.coverage
  if (percent < minCoverage)
    throw new CliError({
      code: 'CLI_CHECK_FAILED',
      detail: `tests call ${Math.floor(percent)} % of the handlers, wanted are ${minCoverage} %`,
    })
}

/** Runs the tests now and after every save. What fails is shown, and does not end it. */
async function testAndWatch(path: string, context: Context, options: Options): Promise<void> {
  const { io } = context
  const run = () =>
    runTests(path, context, options).catch((error: unknown) =>
      io.err(context.json ? `${JSON.stringify(errorJson(error))}\n` : errorText(io, error)),
    )
  const { watchFolders } = await import('../../dev/watch-folders.ts')
  const folders = [path, ...['assembly', 'tests'].map((name) => join(path, name))]
  await watchFolders(folders, /\.ts$|\.test\.json$/, run)
}

/** @throws InvalidArgumentError */
function percentage(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= 0 && value <= 100) return value
  throw new InvalidArgumentError('It must be a number from 0 to 100.')
}

type Report = Awaited<ReturnType<typeof testApplet>>['report']

/** The stable part of a report: effects of events hold bytes and numbers that JSON cannot carry. */
function reportJson({ build, warnings, files, coverage, passed, failed }: Report): unknown {
  const shown = files.map(({ file, description, problem, golden, events }) => ({
    file,
    description,
    problem,
    golden,
    events: events.map(({ handler, mistakes, trace, result }) => ({
      handler,
      mistakes,
      trace,
      fuel: result.outcome.fuel.toString(),
    })),
  }))
  return { build, warnings, files: shown, coverage, passed, failed }
}

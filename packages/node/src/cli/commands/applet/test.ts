import { resolve } from 'node:path'
import { InvalidArgumentError } from 'commander'
import { testApplet } from '../../applet-tool.ts'
import { createContext, withJson } from '../../context.ts'
import { examples, type Register } from '../../define.ts'
import { CliError } from '../../errors.ts'

interface Options {
  readonly json?: boolean
  readonly filter?: string
  readonly update?: boolean
  readonly fuelTolerance: number
  readonly minCoverage: number
}

export const registerTest: Register = (parent, io) => {
  withJson(parent.command('test'))
    .description("run an applet's tests/*.test.json on the node's engine, against a simulated host")
    .argument('[directory]', 'the applet', '.')
    .option('--filter <TEXT>', 'only test files whose name contains this')
    .option('--update', 'write what each event came to as tests/NAME.golden.json, to compare with from now on')
    .option('--fuel-tolerance <PERCENT>', 'how far the fuel of golden receipts may differ', percentage, 0)
    .option('--min-coverage <PERCENT>', 'fail when tests call fewer of the handlers', percentage, 0)
    .addHelpText(
      'after',
      examples(
        ['w3bstream applet test station', 'builds and runs all tests'],
        ['w3bstream applet test station --filter day --json', 'some of them, for scripts'],
        ['w3bstream applet test station --update', 'keeps the results as golden receipts'],
      ),
    )
    .action(async (directory: string, { json, filter, update, fuelTolerance, minCoverage }: Options) => {
      const { report, text } = await testApplet(resolve(io.cwd, directory), {
        filter,
        golden: update ? 'update' : 'compare',
        fuelTolerance: fuelTolerance / 100,
      })
      createContext(io, { json }).print(reportJson(report), () => text)
      if (report.failed > 0) throw new CliError({ code: 'CLI_CHECK_FAILED', detail: `${report.failed} tests failed` })
      const { percent } = report.coverage
      if (percent < minCoverage)
        throw new CliError({
          code: 'CLI_CHECK_FAILED',
          detail: `tests call ${Math.floor(percent)} % of the handlers, wanted are ${minCoverage} %`,
        })
    })
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
    events: events.map(({ handler, mistakes, result }) => ({
      handler,
      mistakes,
      fuel: result.outcome.fuel.toString(),
    })),
  }))
  return { build, warnings, files: shown, coverage, passed, failed }
}

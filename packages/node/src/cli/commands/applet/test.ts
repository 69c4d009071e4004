import { resolve } from 'node:path'
import { testApplet } from '../../applet-tool.ts'
import { createContext, withJson } from '../../context.ts'
import { examples, type Register } from '../../define.ts'
import { CliError } from '../../errors.ts'

interface Options {
  readonly json?: boolean
  readonly filter?: string
}

export const registerTest: Register = (parent, io) => {
  withJson(parent.command('test'))
    .description("run an applet's tests/*.test.json on the node's engine, against a simulated host")
    .argument('[directory]', 'the applet', '.')
    .option('--filter <TEXT>', 'only test files whose name contains this')
    .addHelpText(
      'after',
      examples(
        ['w3bstream applet test station', 'builds and runs all tests'],
        ['w3bstream applet test station --filter day --json', 'some of them, for scripts'],
      ),
    )
    .action(async (directory: string, { json, filter }: Options) => {
      const { report, text } = await testApplet(resolve(io.cwd, directory), filter)
      createContext(io, { json }).print(reportJson(report), () => text)
      if (report.failed > 0) throw new CliError({ code: 'CLI_CHECK_FAILED', detail: `${report.failed} tests failed` })
    })
}

type Report = Awaited<ReturnType<typeof testApplet>>['report']

/** The stable part of a report: effects of events hold bytes and numbers that JSON cannot carry. */
function reportJson({ build, warnings, files, passed, failed }: Report): unknown {
  const shown = files.map(({ file, description, problem, events }) => ({
    file,
    description,
    problem,
    events: events.map(({ handler, mistakes }) => ({ handler, mistakes })),
  }))
  return { build, warnings, files: shown, passed, failed }
}

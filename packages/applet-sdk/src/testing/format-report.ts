import type { HandlerCoverage } from './coverage.ts'
import { type FileReport, passed, type TestReport } from './test-applet.ts'

/** Words of the log levels, by number. */
const levels = ['panic', 'fatal', 'error', 'warning', 'info', 'debug', 'trace']

/** The report for people: a line per file, and for those that failed each event with what differed and its log. */
export function formatReport(report: TestReport): string {
  const { bytes, handlers } = report.build
  const lines = [
    `built ${(bytes / 1024).toFixed(1)} KiB, handlers: ${handlers.join(', ') || 'none'}`,
    ...report.warnings.map((warning) => `warning: ${warning}`),
    ...report.files.flatMap(formatFile),
    formatCoverage(report.coverage),
    `${report.passed} passed, ${report.failed} failed`,
  ]
  return lines.join('\n')
}

function formatCoverage({ events, missing, percent }: HandlerCoverage): string {
  const count = Object.keys(events).length
  const reached = `${count - missing.length} of ${count} handlers called by tests (${Math.floor(percent)} %)`
  return missing.length === 0 ? reached : `${reached}, not: ${missing.join(', ')}`
}

function formatFile(file: FileReport): string[] {
  const title = `${passed(file) ? 'ok  ' : 'FAIL'} ${file.file}${file.description ? `: ${file.description}` : ''}`
  if (passed(file)) return [title]
  const events = file.events.flatMap((event, index) => {
    if (event.mistakes.length === 0) return []
    const log = event.result.logs.map((line) => `       | ${levels[line.level] ?? 'unknown'}: ${line.message}`)
    return [
      `     event ${index + 1}, ${event.handler}`,
      ...event.mistakes.map((mistake) => `       ${mistake}`),
      ...log,
      ...event.trace.map((frame) => `       at ${frame}`),
    ]
  })
  const golden = file.golden.map((line) => `     golden, ${line}`)
  return [title, ...events, ...golden, ...(file.problem === undefined ? [] : [`     ${file.problem}`])]
}

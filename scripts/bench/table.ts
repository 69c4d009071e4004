import { ratioOf, worstOf } from './compare.ts'
import type { BenchRow, Details } from './row.ts'

/** Rows as people read them: a line for what was measured and one for each baseline. */
export function formatTable(rows: readonly BenchRow[]): string {
  const cells = [['row', 'median', 'unit', 'ratio', 'worst', 'besides'], ...rows.flatMap(formatRow)]
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((line) => line[column]!.length)))
  const lines = cells.map((line) =>
    line
      .map((cell, column) => pad(cell, widths[column]!, column))
      .join('  ')
      .trimEnd(),
  )
  const notes = rows.flatMap(({ name, notes = [] }) => notes.map((note) => `${name}: ${note}`))
  return [...lines, ...notes].join('\n')
}

function formatRow(row: BenchRow): string[][] {
  const { name, value, unit, better, baselines, details } = row
  return [
    [name, number(value), unit, '', number(worstOf(row)), besides(details)],
    ...baselines.map((baseline) => [
      `  ${baseline.name}`,
      number(baseline.value),
      unit,
      `${number(ratioOf(better, value, baseline.value))}x`,
      '',
      besides(baseline.details),
    ]),
  ]
}

function besides(details: Details = {}): string {
  return Object.entries(details)
    .map(([name, value]) => `${name} ${number(value)}`)
    .join(', ')
}

function number(value: number): string {
  if (!Number.isFinite(value)) return '–'
  return Math.abs(value) >= 100 ? `${Math.round(value)}` : value.toPrecision(3)
}

/** Numbers to the right, words to the left. */
function pad(cell: string, width: number, column: number): string {
  return [1, 3, 4].includes(column) ? cell.padStart(width) : cell.padEnd(width)
}

import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const folder = new URL('./', import.meta.url)
const page = readFileSync(new URL('../../../../../docs/spec/mqtt.md', import.meta.url), 'utf8')
const sources = new Map(
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => [name.replace(/^.*\//, '').replace('.test.ts', ''), readFileSync(new URL(name, folder), 'utf8')]),
)

interface Row {
  readonly statements: string[]
  readonly tests: string[]
  readonly reason: string
}

/** Rows `| 3.1.0-1, 3.1.0-2 | file: title; file: title | |` or `| 3.1.0-1 | | reason |` of a section. */
function rowsOf(heading: string): Row[] {
  const section = page.slice(page.indexOf(`## ${heading}`)).split('\n## ')[0]!
  return section
    .split('\n')
    .filter((line) => /^\| \d/.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map(([, statements, tests, reason]) => ({
      statements: statements!.split(', '),
      tests: tests ? tests.split('; ') : [],
      reason: reason ?? '',
    }))
}

describe.each([
  ['MQTT 3.1.1', 117],
  ['MQTT 5.0', 200],
])('docs/spec/mqtt.md, %s', (heading, atLeast) => {
  const rows = rowsOf(heading)

  it('names every statement once, with a test or a reason', () => {
    const statements = rows.flatMap((row) => row.statements)
    expect(statements.filter((one, i) => statements.indexOf(one) !== i)).toEqual([])
    expect(statements.filter((one) => !/^\d+(\.\d+)+-\d+$/.test(one))).toEqual([])
    expect(rows.filter(({ tests, reason }) => tests.length === 0 && reason === '')).toEqual([])
    expect(statements.length).toBeGreaterThanOrEqual(atLeast)
  })

  it('names tests that exist', () => {
    const missing = rows
      .flatMap(({ tests }) => tests)
      .filter((test) => {
        const [file = '', ...title] = test.split(': ')
        return !sources.get(file)?.includes(`'${title.join(': ')}'`)
      })
    expect(missing).toEqual([])
  })
})

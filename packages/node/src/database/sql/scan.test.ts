import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { scan } from './scan.ts'

const squeeze = (text: string) => scan(text).replaceAll(/\s+/g, ' ').trim()

describe('scan', () => {
  it.each([
    ['SELECT ?, ?', 'SELECT $1, $2'],
    ["SELECT '?' || ?", "SELECT '?' || $1"],
    ["SELECT 'it''s ?', ?", "SELECT 'it''s ?', $1"],
    ["SELECT E'\\'?', ?", "SELECT E'\\'?', $1"],
    ['SELECT "a?b" FROM t WHERE x=?', 'SELECT "a?b" FROM t WHERE x=$1'],
    ['SELECT 1 -- ?\n, ?', 'SELECT 1 , $1'],
    ['SELECT /* ? /* ? */ ? */ ?', 'SELECT $1'],
    ["SELECT j ? 'k' AND a = ?", "SELECT j ? 'k' AND a = $1"],
    ['SELECT j ?| ?', 'SELECT j ?| $1'],
    ['SELECT (j) ?& x, "j" ? \'y\'', 'SELECT (j) ?& x, "j" ? \'y\''],
    ['SELECT a BETWEEN ? AND ? LIMIT ? OFFSET ?', 'SELECT a BETWEEN $1 AND $2 LIMIT $3 OFFSET $4'],
    ['SELECT a FROM t WHERE a IN (?,?) OR a LIKE ?', 'SELECT a FROM t WHERE a IN ($1,$2) OR a LIKE $3'],
    [
      'INSERT INTO t VALUES(?,?) ON CONFLICT (a) DO UPDATE SET b=?',
      'INSERT INTO t VALUES($1,$2) ON CONFLICT (a) DO UPDATE SET b=$3',
    ],
    ['SELECT $2, $1', 'SELECT $2, $1'],
    ['SELECT a-5, a - -5, (a)-5', 'SELECT a - 5, a - -5, (a) - 5'],
    ['SELECT a->-1, a->>2', 'SELECT a->-1, a->>2'],
    ['SELECT 12345678901234567', "SELECT CAST('12345678901234567' AS bigint)"],
    ['SELECT -12345678901234567', "SELECT CAST('-12345678901234567' AS bigint)"],
    ['SELECT 1.5e-3, .5', "SELECT CAST('1.5e-3' AS numeric), .5"],
  ])('%s', (statement, scanned) => {
    expect(squeeze(statement)).toBe(scanned)
  })

  it('never touches what is in quotes', () => {
    const text = fc.string({ unit: fc.constantFrom('?', '-', '1', '/', '*', '"', "'", 'a', ' ', '$', '(') })
    fc.assert(
      fc.property(text, text, (literal, name) => {
        const quoted = `'${literal.replaceAll("'", "''")}'`
        const identifier = `"x${name.replaceAll('"', '""')}"`
        expect(scan(`SELECT ${quoted}, ${identifier}, ?`)).toBe(`SELECT ${quoted}, ${identifier}, $1`)
      }),
    )
  })
})

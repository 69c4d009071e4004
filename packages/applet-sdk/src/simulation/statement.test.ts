import { describe, expect, it } from 'vitest'
import { numberPlaces } from './statement.ts'

describe('numberPlaces', () => {
  it.each([
    ['SELECT ?, ?', 'SELECT ?1, ?2', 2],
    ['SELECT $2, $1', 'SELECT ?2, ?1', 2],
    ['SELECT 1', 'SELECT 1', 0],
    ["SELECT '?', \"a?\", 'it''s ?' , ?", "SELECT '?', \"a?\", 'it''s ?' , ?1", 1],
    ['SELECT 1 -- ?\n, ?', 'SELECT 1 -- ?\n, ?1', 1],
    ['SELECT /* ? $1 */ ?', 'SELECT /* ? $1 */ ?1', 1],
    ["SELECT ';';", "SELECT ';';", 0],
    ['SELECT 1; -- end', 'SELECT 1; -- end', 0],
  ])('%s', (statement, text, places) => {
    expect(numberPlaces(statement)).toEqual({ text, places })
  })

  it('refuses a second statement', () => {
    expect(numberPlaces('SELECT 1; DROP TABLE t')).toBeUndefined()
    expect(numberPlaces('SELECT 1;;SELECT 2')).toBeUndefined()
  })
})

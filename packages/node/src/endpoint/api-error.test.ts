import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ApiError, apiErrorNumbers, toApiError } from './api-error.ts'

const page = readFileSync(new URL('../../../../docs/errors.md', import.meta.url), 'utf8')

describe('API errors', () => {
  it.each([...apiErrorNumbers])('%s is documented with its number', (key, number) => {
    expect(page).toContain(`| \`${key}\` | ${number} |`)
  })

  it('are documented only when they exist', () => {
    const documented = [...page.matchAll(/^\| `(\w+)` \| (\d{9}) \|/gm)].map(([, key]) => key)
    expect(documented.sort()).toEqual([...apiErrorNumbers.keys()].sort())
  })

  it('have numbers of their own, but for the two of the token layer, which share theirs', () => {
    const numbers = [...apiErrorNumbers].filter(([key]) => key !== 'InvalidToken' && key !== 'InvalidClaim')
    expect(new Set(numbers.map(([, number]) => number)).size).toBe(numbers.length)
  })

  it('are JSON with fields in a fixed order', () => {
    expect(JSON.stringify(new ApiError('InvalidEthLoginMessage', 'd').toJson('s'))).toBe(
      '{"key":"InvalidEthLoginMessage","code":401999011,"msg":"Invalid Eth Login Message","desc":"d","canBeTalk":true,"id":"","sources":["s"],"fields":null}',
    )
    expect(new ApiError('Forbidden').toJson('s')).toMatchObject({ canBeTalk: false })
  })

  it('stand for anything thrown', () => {
    const error = new ApiError('NotFound')
    expect(toApiError(error)).toBe(error)
    expect(toApiError(new Error('x'))).toMatchObject({ status: 500, fault: { code: 'UnknownError', desc: 'x' } })
    expect(toApiError('x').number).toBe(500000000)
  })
})

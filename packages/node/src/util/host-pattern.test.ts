import { describe, expect, it } from 'vitest'
import { isHost, matchesHost, parseHostPattern } from './host-pattern.ts'

function matches(pattern: string, host: string, port = 443): boolean {
  return matchesHost([parseHostPattern(pattern)!], host, port)
}

describe('host patterns', () => {
  it('match exact names on the port of https', () => {
    expect(matches('API.example.com', 'api.example.com')).toBe(true)
    expect(matches('api.example.com', 'api.example.com', 80)).toBe(false)
    expect(matches('api.example.com', 'xapi.example.com')).toBe(false)
    expect(matches('api.example.com:80', 'api.example.com', 80)).toBe(true)
  })

  it('match names below a suffix, and not the suffix itself', () => {
    expect(matches('*.example.com', 'a.b.example.com')).toBe(true)
    expect(matches('*.example.com', 'example.com')).toBe(false)
    expect(matches('*.example.com', 'badexample.com')).toBe(false)
    expect(matches('*.example.com:8080', 'a.example.com', 8080)).toBe(true)
  })

  it('take addresses as they are written', () => {
    expect(matches('192.0.2.7:8080', '192.0.2.7', 8080)).toBe(true)
    expect(matches('[2001:db8::1]', '[2001:db8::1]')).toBe(true)
  })

  it.each([
    '',
    '*',
    '*.',
    'a..b',
    'a b',
    'http://a',
    'a/b',
    'a:0',
    'a:65536',
    '*.1',
    '*.[::1]',
    '0x7f.1',
    '2130706433',
    '010.0.0.1',
    '1.2.3',
    'a@b',
    '-a',
    `${'a'.repeat(64)}.b`,
    'ä.example',
  ])('refuse %j', (text) => expect(parseHostPattern(text)).toBeUndefined())

  it('know what a host is', () => {
    expect(['localhost', 'a.b', '127.0.0.1', '[::1]'].map(isHost)).toEqual([true, true, true, true])
    expect(['a:80', '*.a', '0177.0.0.1', '127.1', 'a.0x1', 'A'].map(isHost)).toEqual(Array(6).fill(false))
  })
})

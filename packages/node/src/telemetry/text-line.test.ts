import { describe, expect, it } from 'vitest'
import { textLine } from './text-line.ts'

const time = Date.UTC(2026, 0, 2, 3, 4, 5, 6)
const line = (fields: object) => textLine(JSON.stringify({ level: 30, time, ...fields }))

describe('a log line as text', () => {
  it('has time, level, component, message and fields', () => {
    expect(line({ component: 'chain', msg: 'no answer', attempts: 3, ok: false, url: 'http://x' })).toBe(
      '03:04:05.006 INFO  chain no answer attempts=3 ok=false url=http://x\n',
    )
  })

  it('quotes values that would run together with others', () => {
    expect(line({ level: 40, msg: 'm', a: 'x y', b: '', c: 'k=v' })).toBe('03:04:05.006 WARN  m a="x y" b="" c="k=v"\n')
  })

  it('shows an error with its stack below', () => {
    expect(line({ level: 50, msg: 'm', error: { message: 'broken', stack: 'Error: broken\n    at x' } })).toBe(
      '03:04:05.006 ERROR m\n  Error: broken\n      at x\n',
    )
    expect(line({ level: 50, msg: 'm', error: 'broken' })).toBe('03:04:05.006 ERROR m\n  broken\n')
  })

  it('lets nobody steer the terminal or forge a line', () => {
    const text = line({ msg: 'a\nb\u001b[2J', component: 'c\r', key: '\u009b31m\n', error: 'x\u0007' })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(text.replaceAll('\n  x', '').slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
  })
})

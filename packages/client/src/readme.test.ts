import { readFileSync } from 'node:fs'
import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const examples = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code)

describe('the examples of the README', () => {
  it('are there for every way', () => {
    expect(examples.length).toBeGreaterThanOrEqual(7)
  })

  it.each(examples)('is a program on what the package exports: %#', async (contents) => {
    const stdin = { contents, loader: 'ts' as const, resolveDir: import.meta.dirname }
    const { errors, warnings } = await build({
      stdin,
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'node',
      conditions: ['source'],
      logLevel: 'silent',
    })
    expect([...errors, ...warnings]).toEqual([])
  })
})

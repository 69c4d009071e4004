import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')

it('every fault of the VFS is documented', () => {
  const codes = [...read('./errors.ts').matchAll(/code: '(\w+)'/g)].map(([, code]) => code)
  expect(codes.length).toBeGreaterThan(0)
  for (const code of codes) expect(read('../../../../docs/errors.md')).toContain(`| \`${code}\` |`)
})

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { projectFileJsonSchema } from './json-schema.ts'

it('the schema for editors is up to date (node scripts/generate-project-schema.ts)', () => {
  const file = join(import.meta.dirname, '../../../../../docs/build/project-file.schema.json')
  expect(readFileSync(file, 'utf8')).toBe(projectFileJsonSchema())
})

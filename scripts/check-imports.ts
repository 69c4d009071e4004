/** Refuses imports that go against the layers of the code. Run by `npm run check:imports`. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { importsOf, violation } from './import-rules.ts'

const root = join(import.meta.dirname, '..')
// Tests may put parts of several components together.
const isTest = /\.(test|suite|bench|fixture)\.ts$|\/(test|testing)\//

const files = globSync('packages/*/src/**/*.ts', { cwd: root }).filter((file) => !isTest.test(file))
let found = 0
for (const file of files.sort()) {
  for (const one of importsOf(readFileSync(join(root, file), 'utf8'))) {
    const reason = violation(file, one)
    if (reason === undefined) continue
    found++
    process.stderr.write(`${file}:${one.line} '${one.from}': ${reason}\n`)
  }
}
if (found > 0) process.exitCode = 1
else process.stdout.write(`imports of ${files.length} files go downwards\n`)

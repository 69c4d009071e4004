// Counts what a test run came to: `node scripts/ci-summary.mjs VITEST_JSON EXIT_STATUS`. JavaScript, because it runs on the
// system's Node.js, which may not know types.
import { existsSync, readFileSync } from 'node:fs'

const [file = '', status = '1'] = process.argv.slice(2)

/** The steps before the tests, of which each must pass for the next one to run. */
const { scripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const steps = [...scripts.check.matchAll(/npm run/g)].length + 1

if (!existsSync(file)) {
  console.log('a step before the tests failed')
  console.log('0 passed, 1 failed')
  process.exit(1)
}
const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites, success } = JSON.parse(
  readFileSync(file, 'utf8'),
)
// A file that cannot be loaded has no failed test, and an error between tests belongs to none.
const failed = Math.max(
  numFailedTests,
  success && status === '0' ? 0 : 1,
  numFailedTests === 0 ? numFailedTestSuites : 0,
)
if (numPendingTests > 0) console.log(`${numPendingTests} skipped`)
console.log(`${numPassedTests + steps} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)

import { execFile } from 'node:child_process'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { TestProject } from 'vitest/node'
import { cliFile } from './cli.ts'

const root = join(import.meta.dirname, '../../../..')
/** Tests that start the built command. */
const users = /packages\/node\/test\/(e2e|faults)\//
const packages = ['node', 'protocol', 'client', 'applet-sdk']

/** Builds the command when a test will start it and the sources are newer. */
export async function setup(project: TestProject): Promise<void> {
  if (process.env.W3BSTREAM_TEST_CLI !== undefined) return
  const named = process.argv.slice(2).filter((argument) => argument !== 'run' && !argument.startsWith('-'))
  const files = await project.vitest.getRelevantTestSpecifications(named)
  const isUsed = files.length === 0 || files.some(({ moduleId }) => users.test(moduleId))
  if (!isUsed || !(await isStale())) return
  await promisify(execFile)(process.execPath, [join(root, 'scripts/build.ts')], { cwd: root })
}

async function isStale(): Promise<boolean> {
  const built = await stat(cliFile).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  )
  const sources = await Promise.all(packages.map((name) => newest(join(root, 'packages', name, 'src'))))
  return Math.max(...sources) > built
}

/** When a file below a directory was last changed, milliseconds. */
async function newest(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  const times = await Promise.all(files.map((file) => stat(join(file.parentPath, file.name))))
  return Math.max(0, ...times.map(({ mtimeMs }) => mtimeMs))
}

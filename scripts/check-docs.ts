/** Refuses documents that point at what is not there: links, npm scripts, commands and flags, error codes. Run by `npm run check:docs`. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { processIo } from '../packages/node/src/cli/io.ts'
import { createProgram } from '../packages/node/src/cli/program.ts'
import { commandLines, commandProblem, type DocProblem, npmScripts, relativeLinks } from './doc-rules.ts'
import { errorCodes } from './error-codes.ts'

const root = join(import.meta.dirname, '..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const documents = globSync('**/*.md', { cwd: root, exclude: (name) => /node_modules|dist|\.git$/.test(name) }).sort()
const program = createProgram(processIo(), '')

let found = 0
function report(file: string, { line, message }: DocProblem): void {
  found++
  process.stderr.write(`${file}:${line} ${message}\n`)
}

for (const file of documents) {
  const text = read(file)
  for (const { target, line } of relativeLinks(text))
    if (!existsSync(join(root, dirname(file), decodeURI(target)))) report(file, { line, message: `no file ${target}` })
  for (const { name, line } of npmScripts(text))
    if (!scriptsFor(file).has(name)) report(file, { line, message: `no script "npm run ${name}"` })
  for (const { words, line } of commandLines(text)) {
    const message = commandProblem(program, words)
    if (message) report(file, { line, message })
  }
}

const errors = read('docs/errors.md')
for (const file of globSync('packages/*/src/**/{errors,error,api-error}.ts', { cwd: root }))
  for (const code of errorCodes(read(file)))
    if (!new RegExp(`\\b${code}\\b`).test(errors))
      report('docs/errors.md', { line: 1, message: `lacks ${code} (${file})` })

if (found > 0) process.exitCode = 1
else process.stdout.write(`${documents.length} documents point at what is there\n`)

/** Scripts of the workspace, and of the package or example that the document is in. */
function scriptsFor(file: string): ReadonlySet<string> {
  const places = ['.', dirname(file)].filter((place) => existsSync(join(root, place, 'package.json')))
  return new Set(places.flatMap((place) => Object.keys(JSON.parse(read(join(place, 'package.json'))).scripts ?? {})))
}

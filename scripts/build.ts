/**
 * Builds what is installed and run: bundles of the node (one file per entry, libraries stay outside), and modules with types
 * of the packages that others import. Run by `npm run build`.
 */
import { spawn } from 'node:child_process'
import { chmod, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '..')
const node = join(root, 'packages/node')

/** Files of `packages/node/dist`, by name, and what they are made of. */
const entries: Readonly<Record<string, string>> = {
  'cli-main': 'src/cli/main.ts',
  index: 'src/index.ts',
  worker: 'src/event/executor/pool/worker.ts',
}

/** Our own packages that are bundled; the others bring files of their own and stay outside. */
const bundledNames = ['protocol', 'client']
/** Libraries of so many files that loading them one by one costs a tenth of the node's memory and start. */
const inlined = ['typebox']
const bundled = new RegExp(`^(@w3bstream/(${bundledNames.join('|')})|${inlined.join('|')})(/|$)`)

/** Packages that are emitted module by module, with types. */
const libraries = ['protocol', 'client', 'applet-sdk']

/**
 * The command itself: what old versions of Node.js can parse, and the rest only when the version suits. A check inside the
 * bundle would come too late, after its imports.
 */
const command = `#!/usr/bin/env node
// Apache-2.0, see LICENSE.
if (Number.parseInt(process.versions.node, 10) < 24) {
  console.error(
    'w3bstream needs Node.js 24 or newer; this is ' + process.version + '. In a checkout use: npx w3bstream'
  )
  process.exit(1)
}
import('./cli-main.js').then(function (main) {
  return main.runProcess()
})
`

const began = performance.now()
const outcomes = await Promise.allSettled([bundleNode(), emitLibraries()])
const failures = outcomes.filter((outcome) => outcome.status === 'rejected')
for (const { reason } of failures) process.stderr.write(`${reason instanceof Error ? reason.message : reason}\n`)
if (failures.length > 0) process.exitCode = 1
else process.stdout.write(`built in ${((performance.now() - began) / 1000).toFixed(1)} s\n`)

async function bundleNode(): Promise<void> {
  await checkDependencies()
  // Made beside and put in place when it is whole: a build that fails leaves the last good one.
  const outdir = join(node, `dist.${process.pid}`)
  try {
    await writeBundle(outdir)
    await writeCommand(join(outdir, 'cli.js'))
    await rm(join(node, 'dist'), { recursive: true, force: true })
    await rename(outdir, join(node, 'dist'))
  } finally {
    await rm(outdir, { recursive: true, force: true })
  }
}

async function writeBundle(outdir: string): Promise<void> {
  await build({
    absWorkingDir: node,
    entryPoints: Object.entries(entries).map(([out, source]) => ({ in: source, out })),
    outdir,
    bundle: true,
    splitting: true,
    // Beside the entries, because code asks for `./worker.js` next to itself.
    chunkNames: '[name]-[hash]',
    format: 'esm',
    platform: 'node',
    target: 'node24',
    conditions: ['source'],
    sourcemap: true,
    // What is wrong stands in the error that is thrown.
    logLevel: 'silent',
    plugins: [
      {
        name: 'libraries stay outside',
        setup: ({ onResolve }) => {
          onResolve({ filter: /^[^./#]/ }, ({ path, kind }) =>
            kind === 'entry-point' || bundled.test(path) ? undefined : { path, external: true },
          )
        },
      },
    ],
    banner: { js: '// Apache-2.0, see LICENSE.' },
  })
}

/**
 * Libraries of a bundled package are looked for from the bundle: what the node does not depend on itself would be missing
 * there, or be another version that happens to lie above.
 */
async function checkDependencies(): Promise<void> {
  const own = await dependenciesOf('node')
  for (const name of bundledNames)
    for (const [library, version] of Object.entries(await dependenciesOf(name)))
      if (own[library] !== version)
        throw new Error(
          `packages/node must depend on ${library} ${version}, as packages/${name}, which it bundles, does`,
        )
}

async function dependenciesOf(name: string): Promise<Readonly<Record<string, string>>> {
  const manifest = JSON.parse(await readFile(join(root, 'packages', name, 'package.json'), 'utf8'))
  return manifest.dependencies ?? {}
}

async function writeCommand(file: string): Promise<void> {
  await writeFile(file, command)
  await chmod(file, 0o755)
}

async function emitLibraries(): Promise<void> {
  await Promise.all(libraries.map(emitLibrary))
}

/** The compiler reads the sources of the other packages, so that the order does not matter. */
async function emitLibrary(name: string): Promise<void> {
  const directory = join(root, 'packages', name)
  await rm(join(directory, 'dist'), { recursive: true, force: true })
  await run(join(root, 'node_modules/.bin/tsc'), ['-p', join(directory, 'tsconfig.build.json')])
}

function run(command: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit' })
    child.once('error', reject)
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`${command} ${args.join(' ')}: exit ${code}`)),
    )
  })
}

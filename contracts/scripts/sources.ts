import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Contracts whose ABI and byte code are published; each is in the file of its name. */
export const published = readdirSync(fileURLToPath(new URL('../src', import.meta.url)))
  .filter((file) => file.endsWith('.sol'))
  .map((file) => file.slice(0, -'.sol'.length))

const require = createRequire(import.meta.url)

/**
 * Settings of the compiler. `paris` is the newest instruction set that every network of the chain table has (no PUSH0, which
 * some of them lack).
 */
export const settings = {
  evmVersion: 'paris',
  optimizer: { enabled: true, runs: 200 },
  metadata: { bytecodeHash: 'none' },
  outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } },
} as const

/** All sources that the published contracts need, by the name under which the compiler knows them. */
export function gatherSources(): ReadonlyMap<string, string> {
  const sources = new Map<string, string>()
  const wanted = published.map((name) => `src/${name}.sol`)
  for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
    if (sources.has(name)) continue
    const text = readFileSync(locate(name), 'utf8')
    sources.set(name, text)
    wanted.push(...imports(name, text))
  }
  return new Map([...sources].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function locate(name: string): string {
  return name.startsWith('src/') ? fileURLToPath(new URL(`../${name}`, import.meta.url)) : require.resolve(name)
}

function imports(importer: string, text: string): string[] {
  return [...text.matchAll(/^import\s+(?:[^"';]*?from\s+)?["']([^"']+)["']\s*;/gm)].map(([, path]) =>
    path!.startsWith('.') ? posix.join(posix.dirname(importer), path!) : path!,
  )
}

/** What the output depends on: sources, settings and the compiler's version. */
export function inputHash(sources: ReadonlyMap<string, string>): string {
  const { version } = require('solc/package.json') as { version: string }
  return createHash('sha256')
    .update(JSON.stringify([version, settings, [...sources]]))
    .digest('hex')
}

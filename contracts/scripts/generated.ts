import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { published } from './sources.ts'

const root = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

/** What the last compilation read and wrote. */
export interface Manifest {
  readonly input: string
  readonly output: string
}

export function readManifest(): Manifest | undefined {
  const file = root('contracts/generated/manifest.json')
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Manifest) : undefined
}

/** A contract as tools want it: `{abi, bytecode}`. */
export function renderArtifact(abi: readonly unknown[], bytecode: string): string {
  return `${JSON.stringify({ abi, bytecode }, null, 2)}\n`
}

/** The ABI as TypeScript, from which clients take the types of calls. */
export function renderAbi(name: string, abi: readonly unknown[]): { file: string; text: string } {
  const kebab = kebabCase(name)
  const constant = `${name[0]!.toLowerCase()}${name.slice(1)}Abi`
  const head = `/** Generated from contracts/src/${name}.sol by contracts/scripts/compile.ts. */\n`
  // One entry a line keeps differences readable.
  const entries = abi.map((entry) => `  ${JSON.stringify(entry)},\n`).join('')
  return {
    file: `${kebab}.ts`,
    text: `${head}// biome-ignore format: generated\nexport const ${constant} = [\n${entries}] as const\n`,
  }
}

function kebabCase(name: string): string {
  return name.replaceAll(/(?<=[a-z0-9])[A-Z]/g, (letter) => `-${letter}`).toLowerCase()
}

/** Over all files that a compilation writes; a missing one counts as empty. */
export function outputHash(): string {
  const hash = createHash('sha256')
  for (const name of published)
    for (const path of [`contracts/generated/${name}.json`, `packages/protocol/src/abi/${kebabCase(name)}.ts`]) {
      const file = root(path)
      hash.update(existsSync(file) ? readFileSync(file) : '').update('\0')
    }
  return hash.digest('hex')
}

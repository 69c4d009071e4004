/**
 * Compiles the contracts: `node contracts/scripts/compile.ts`. Writes `generated/<Name>.json` (ABI and byte code) and the
 * ABIs as TypeScript into `packages/protocol/src/abi`. Does nothing when the input is the one of the last time.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { outputHash, readManifest, renderAbi, renderArtifact } from './generated.ts'
import { gatherSources, inputHash, published, settings } from './sources.ts'

interface CompilerOutput {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[]
  readonly contracts?: Record<
    string,
    Record<
      string,
      { readonly abi: readonly unknown[]; readonly evm: { readonly bytecode: { readonly object: string } } }
    >
  >
}

const root = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

function compile(sources: ReadonlyMap<string, string>): CompilerOutput {
  const solc = createRequire(import.meta.url)('solc') as { compile(input: string): string }
  const content = Object.fromEntries([...sources].map(([name, text]) => [name, { content: text }]))
  const output = JSON.parse(solc.compile(JSON.stringify({ language: 'Solidity', sources: content, settings })))
  const complaints = ((output as CompilerOutput).errors ?? []).map((error) => error.formattedMessage)
  if (complaints.length > 0) throw new Error(complaints.join('\n'))
  return output as CompilerOutput
}

function write(path: string, text: string): void {
  writeFileSync(root(path), text)
  console.log(`wrote ${path}`)
}

const sources = gatherSources()
const hash = inputHash(sources)
const manifest = readManifest()
if (manifest?.input === hash && manifest.output === outputHash()) {
  console.log('contracts are up to date')
} else {
  const { contracts } = compile(sources)
  mkdirSync(root('contracts/generated'), { recursive: true })
  mkdirSync(root('packages/protocol/src/abi'), { recursive: true })
  for (const name of published) {
    const { abi, evm } = contracts![`src/${name}.sol`]![name]!
    write(`contracts/generated/${name}.json`, renderArtifact(abi, `0x${evm.bytecode.object}`))
    const { file, text } = renderAbi(name, abi)
    write(`packages/protocol/src/abi/${file}`, text)
  }
  const text = `${JSON.stringify({ input: hash, output: outputHash() }, null, 2)}\n`
  write('contracts/generated/manifest.json', text)
}

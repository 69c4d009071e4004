import { builtinModules } from 'node:module'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'

/** Compressed bytes that a page loads for everything but MQTT: two thirds are the curves of the signers. */
const budget = 36 * 1024

describe('the package for browsers', () => {
  it('needs nothing of Node.js, stays within its size, and loads MQTT apart', async () => {
    const result = await build({
      entryPoints: [fileURLToPath(new URL('./index.ts', import.meta.url))],
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'browser',
      conditions: ['source'],
      minify: true,
      metafile: true,
      write: false,
      outdir: 'out',
    })
    const imports = Object.values(result.metafile.outputs).flatMap((output) =>
      output.imports.filter((one) => one.external),
    )
    expect(imports.filter(({ path }) => path.startsWith('node:') || builtinModules.includes(path))).toEqual([])
    expect(Object.keys(result.metafile.inputs).filter((path) => path.endsWith('.node.ts'))).toEqual([])

    const loaded = eagerFiles(result.metafile.outputs)
    const inputs = loaded.flatMap((path) => Object.keys(result.metafile.outputs[path]!.inputs))
    expect(inputs.filter((path) => path.includes('node_modules/mqtt/'))).toEqual([])
    const files = result.outputFiles.filter(({ path }) => loaded.some((name) => path.endsWith(name)))
    const size = files.reduce((sum, file) => sum + gzipSync(file.contents).length, 0)
    expect(size).toBeLessThan(budget)
  })
})

/** The entry and all that it imports at once. */
function eagerFiles(
  outputs: Record<string, { entryPoint?: string; imports: { path: string; kind: string }[] }>,
): string[] {
  const [entry] = Object.entries(outputs).filter(([, output]) => output.entryPoint?.endsWith('src/index.ts'))
  const found = new Set([entry![0]])
  for (const path of found)
    for (const { path: next, kind } of outputs[path]!.imports) if (kind === 'import-statement') found.add(next)
  return [...found]
}

import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const modules = fileURLToPath(new URL('../../../../../node_modules', import.meta.url))

/** Compiles an applet with the AssemblyScript compiler. */
export async function compileApplet(source: URL): Promise<Uint8Array> {
  let binary: Uint8Array | undefined
  const options = ['--optimize', '--outFile', 'applet.wasm', '--path', modules]
  const { error, stderr } = await asc.main([fileURLToPath(source), ...options], {
    writeFile: (_name, content) => {
      binary = content as Uint8Array
    },
  })
  if (error !== null || binary === undefined) throw new Error(stderr.toString(), { cause: error })
  return binary
}

/**
 * Makes `suite.json.br` out of the official tests of the WebAssembly specification, in the form in which the Go module
 * wazero carries them: scripts as JSON, modules as binaries. Downloads the module from the Go proxy and checks its hash.
 *
 *     node packages/node/test/interop/spec/pack.ts
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'
import type { Command, Script } from './script.ts'

const version = 'v1.11.0'
const source = `https://proxy.golang.org/github.com/tetratelabs/wazero/@v/${version}.zip`
const sha256 = 'bfcf9a13d6fc038ac121315f69159052a583132bc6354bb359d8794499efb07d'
const folders = ['v2', 'tail-call']

/** The commands that run something. Those about malformed text and invalid modules test a validator, which is V8's. */
const kept: ReadonlySet<string> = new Set([
  'module',
  'register',
  'action',
  'assert_return',
  'assert_trap',
  'assert_exhaustion',
  'assert_uninstantiable',
])

interface JsonCommand {
  readonly type: string
  readonly filename?: string
  readonly [field: string]: unknown
}

async function unpacked(directory: string): Promise<string> {
  const archive = new Uint8Array(await (await fetch(source)).arrayBuffer())
  const found = createHash('sha256').update(archive).digest('hex')
  if (found !== sha256) throw new Error(`${source} has the hash ${found}`)
  const file = join(directory, 'wazero.zip')
  writeFileSync(file, archive)
  const root = `github.com/tetratelabs/wazero@${version}/internal/integration_test/spectest`
  execFileSync('unzip', ['-q', file, ...folders.map((folder) => `${root}/${folder}/testdata/*`), '-d', directory])
  return join(directory, root)
}

function readScript(directory: string, name: string): Script {
  const { commands } = JSON.parse(readFileSync(join(directory, `${name}.json`), 'utf8')) as { commands: JsonCommand[] }
  return {
    name,
    commands: commands
      .filter(({ type }) => kept.has(type))
      .map(({ filename, module_type: _, ...command }) => {
        if (filename === undefined) return command as unknown as Command
        return { ...command, wasm: readFileSync(join(directory, filename)).toString('base64') } as unknown as Command
      }),
  }
}

const directory = mkdtempSync(join(tmpdir(), 'w3bstream-spec-'))
try {
  const root = await unpacked(directory)
  const scripts = folders.flatMap((folder) => {
    const data = join(root, folder, 'testdata')
    const names = readdirSync(data).filter((file) => file.endsWith('.json'))
    return names.map((file) => readScript(data, file.slice(0, -'.json'.length)))
  })
  const running = scripts.filter(({ commands }) => commands.length > 0)
  const text = Buffer.from(JSON.stringify(running))
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 }
  const packed = brotliCompressSync(text, { params })
  writeFileSync(new URL('suite.json.br', import.meta.url), packed)
  console.info(`${running.length} scripts, ${text.length} bytes, packed ${packed.length}`)
} finally {
  rmSync(directory, { recursive: true })
}

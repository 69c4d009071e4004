import { sha256, toHex } from '@w3bstream/protocol'
import type { PreparedModule } from '../engine.ts'
import { EngineError } from '../errors.ts'
import { hostTable } from '../host/table.ts'
import { wasm } from '../webassembly.ts'
import { malformed } from './byte-reader.ts'
import { examine, findHandlers, findReducers } from './examine.ts'
import type { ModuleLayout } from './layout.ts'
import { parseModule } from './parse.ts'
import { rewriteModule } from './rewrite.ts'

/**
 * Examines a module and rewrites it.
 * @param limit bytes
 * @throws EngineError MODULE_TOO_LARGE, MODULE_INVALID
 */
export function prepareModule(original: Uint8Array, limit: number): PreparedModule {
  if (original.length > limit) throw new EngineError({ code: 'MODULE_TOO_LARGE', size: original.length, limit })
  if (!wasm.validate(original)) throw malformed(whyInvalid(original))
  const layout = parseModule(original)
  const problems = examine(layout, hostTable)
  if (problems.length > 0) throw new EngineError({ code: 'MODULE_INVALID', problems })
  return {
    codeHash: toHex(sha256(original)).replace(/^0x/, ''),
    bytes: rewritten(layout),
    handlers: findHandlers(layout),
    reducers: findReducers(layout),
    imports: layout.imports.map(({ module, name }) => `${module}.${name}`),
  }
}

/** Code grows when it is metered, and V8 has limits: for the size of a function, for its locals. */
function rewritten(layout: ModuleLayout): Uint8Array {
  const bytes = rewriteModule(layout)
  if (!wasm.validate(bytes)) throw malformed(`with metering: ${whyInvalid(bytes)}`)
  return bytes
}

/** V8's reason, which `validate` keeps to itself. */
function whyInvalid(bytes: Uint8Array): string {
  try {
    new wasm.Module(bytes)
  } catch (error) {
    if (error instanceof wasm.CompileError) return error.message.replace(/^WebAssembly\.Module\(\): /, '')
    throw error
  }
  return 'not a valid WebAssembly module'
}

import type { BlockingFamily } from '../engine.ts'
import { CallEnd } from '../host/call-end.ts'
import type { Guest } from '../host/guest.ts'
import { link } from '../host/host-function.ts'
import { type WasmImports, wasm } from '../webassembly.ts'
import type { ImportSlot } from './compiled-module.ts'

/** Whether an import must be able to suspend the guest. */
export function suspends(host: ImportSlot['host'], blocking: ReadonlySet<BlockingFamily>): boolean {
  return host?.blocks !== undefined && blocking.has(host.blocks)
}

/** The object that an instance is made with: every import of the module, bound to one guest. */
export function linkImports(
  slots: readonly ImportSlot[],
  guest: Guest,
  blocking: ReadonlySet<BlockingFamily>,
): WasmImports {
  const imports: WasmImports = {}
  for (const { module, name, host } of slots) {
    imports[module] ??= Object.create(null) as Record<string, unknown>
    imports[module][name] = linkImport(name, host, guest, suspends(host, blocking))
  }
  return imports
}

function linkImport(name: string, host: ImportSlot['host'], guest: Guest, suspending: boolean): unknown {
  if (host === undefined)
    return () => {
      throw new CallEnd('TRAP', `env.${name} is not a function of this host`)
    }
  const linked = link(host, guest, suspending)
  return suspending ? new wasm.Suspending(linked) : linked
}

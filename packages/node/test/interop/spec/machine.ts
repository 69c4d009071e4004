import { EngineError } from '../../../src/engine/errors.ts'
import { isGuestTrap } from '../../../src/engine/host/call-end.ts'
import { trapWords } from '../../../src/engine/host/trap.ts'
import type { FunctionType, ModuleLayout } from '../../../src/engine/module/layout.ts'
import { parseModule } from '../../../src/engine/module/parse.ts'
import { reserved, stopReasons } from '../../../src/engine/module/prepared-format.ts'
import { rewriteModule } from '../../../src/engine/module/rewrite.ts'
import {
  type WasmFunction,
  type WasmGlobal,
  type WasmImports,
  type WasmInstance,
  wasm,
} from '../../../src/engine/webassembly.ts'
import { Adapter } from './adapter.ts'
import type { Action } from './script.ts'
import { toArgument } from './values.ts'

const fuel = 1_000_000_000_000n
const stackBytes = 512 * 1024

/** A module that the engine does not run: it imports what only functions may be, or uses what is refused. */
export class LeftOut extends Error {}

/** Why a module stopped: the words of a receipt. */
export class Trap extends Error {}

const nothing = () => undefined
const printers = ['print', 'print_i32', 'print_i64', 'print_f32', 'print_f64', 'print_i32_f32', 'print_f64_f64']

interface Running {
  readonly layout: ModuleLayout
  readonly instance: WasmInstance
  readonly adapters: Map<string, Adapter>
}

/** Runs the modules of one script, rewritten as the engine does, each linked to those that came before it. */
export class Machine {
  readonly #registered: Record<string, WasmImports[string]> = {
    spectest: Object.fromEntries(printers.map((name) => [name, nothing])),
  }
  readonly #named = new Map<string, Running | undefined>()
  /** Modules whose tables, memories or globals a module that was left out may have been meant to change. */
  readonly #spoiled = new WeakSet<Running>()
  readonly #linked: Running[] = []
  #current: Running | undefined

  /** @throws LeftOut; Trap when its start traps */
  instantiate(bytes: Uint8Array, name: string | undefined): void {
    this.#current = undefined
    if (name !== undefined) this.#named.set(name, undefined)
    this.#current = this.#link(bytes)
    if (name !== undefined) this.#named.set(name, this.#current)
  }

  register(as: string, name: string | undefined): void {
    this.#registered[as] = { ...this.#find(name).instance.exports }
  }

  /** @throws LeftOut, Trap */
  act({ type, module, field, args = [] }: Action): unknown[] {
    const running = this.#find(module)
    if (type === 'get') return [globalBits(running.instance.exports[field] as WasmGlobal)]
    let adapter = running.adapters.get(field)
    if (adapter === undefined) {
      adapter = new Adapter(typeOf(running.layout, field), running.instance.exports[field] as WasmFunction)
      running.adapters.set(field, adapter)
    }
    return this.#execute(() => adapter.call(args.map(toArgument)))
  }

  #find(name: string | undefined): Running {
    const running = name === undefined ? this.#current : this.#named.get(name)
    if (running === undefined || this.#spoiled.has(running)) throw new LeftOut('its module was left out')
    return running
  }

  #link(bytes: Uint8Array): Running {
    const layout = supported(bytes)
    const others = layout.imports.filter(({ kind }) => kind !== 'function')
    if (others.length > 0) {
      for (const running of this.#linked) this.#spoiled.add(running)
      throw new LeftOut(`imports a ${others[0]!.kind}`)
    }
    const imports: WasmImports = {}
    for (const { module, name } of layout.imports) {
      const provided = this.#registered[module]?.[name]
      if (provided === undefined) throw new LeftOut(`${module}.${name} was left out`)
      imports[module] ??= {}
      imports[module][name] = provided
    }
    const compiled = new wasm.Module(rewriteModule(layout))
    const instance = this.#execute(() => new wasm.Instance(compiled, imports))
    const running: Running = { layout, instance, adapters: new Map() }
    this.#linked.push(running)
    const start = instance.exports[reserved.start] as WasmFunction | undefined
    this.#execute(() => start?.())
    return running
  }

  /** @throws Trap; Error when a call that returned did not give its stack back */
  #execute<T>(run: () => T): T {
    const linked = this.#linked.map(({ instance }) => instance.exports)
    for (const exports of linked) {
      setGlobal(exports[reserved.fuel], fuel)
      setGlobal(exports[reserved.stack], stackBytes)
      setGlobal(exports[reserved.stopped], 0)
    }
    try {
      const answer = run()
      if (linked.some((exports) => (exports[reserved.stack] as WasmGlobal).value !== stackBytes))
        throw new Error('the stack was not given back')
      return answer
    } catch (error) {
      if (!isGuestTrap(error)) throw error
      const stopped = linked.map((exports) => (exports[reserved.stopped] as WasmGlobal).value)
      if (stopped.includes(stopReasons.stack)) throw new Trap('call stack exhausted', { cause: error })
      throw new Trap(trapWords(error), { cause: error })
    }
  }
}

/** @throws LeftOut */
function supported(bytes: Uint8Array): ModuleLayout {
  try {
    return parseModule(bytes)
  } catch (error) {
    if (error instanceof EngineError) throw new LeftOut(error.message, { cause: error })
    throw error
  }
}

function typeOf(layout: ModuleLayout, field: string): FunctionType {
  const { index } = layout.exports.find(({ name, kind }) => name === field && kind === 'function')!
  return layout.types[layout.functions[index]!]!
}

function setGlobal(global: unknown, value: number | bigint): void {
  ;(global as WasmGlobal).value = value
}

/** Only integers are read so. */
function globalBits({ value }: WasmGlobal): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(BigInt(value as number | bigint))
  return bytes
}

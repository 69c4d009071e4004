import { describe, expect, it } from 'vitest'
import { LeftOut, Machine, Trap } from './machine.ts'
import { type Command, readScripts, type Script } from './script.ts'
import { expectation, found } from './values.ts'

/** Where the words of the specification's tests tell more than V8 does, or tell it differently: theirs, ours. */
const sameTrap: readonly (readonly [RegExp, RegExp])[] = [
  [/^uninitialized element|^undefined element/, /^indirect call type mismatch|^out of bounds table access/],
  [/^out of bounds (table|memory) access/, /^out of bounds segment access/],
  [/^integer overflow/, /^invalid conversion to integer/],
]

function sameWords(wanted: string, seen: string): boolean {
  return seen === wanted || sameTrap.some(([theirs, ours]) => theirs.test(wanted) && ours.test(seen))
}

/** Assertions that held, and those about modules that the engine does not run. */
interface Tally {
  passed: number
  leftOut: number
}

function runCommand(machine: Machine, command: Command): void {
  switch (command.type) {
    case 'module':
      machine.instantiate(Buffer.from(command.wasm, 'base64'), command.name)
      return
    case 'register':
      machine.register(command.as, command.name)
      return
    case 'action':
      machine.act(command.action)
      return
    case 'assert_return': {
      const answers = machine.act(command.action)
      const anySign = /neg/.test(command.action.field)
      const seen = command.expected.map((value, index) => found(value, answers[index], anySign))
      expect(seen, `line ${command.line}`).toEqual(command.expected.map(expectation))
      return
    }
    default:
      expectTrap(machine, command)
  }
}

function expectTrap(machine: Machine, command: Extract<Command, { text: string }>): void {
  try {
    if (command.type === 'assert_uninstantiable') machine.instantiate(Buffer.from(command.wasm, 'base64'), undefined)
    else machine.act(command.action)
  } catch (error) {
    if (!(error instanceof Trap)) throw error
    expect(sameWords(command.text, error.message), `line ${command.line}: ${error.message}, not ${command.text}`).toBe(
      true,
    )
    return
  }
  throw new Error(`line ${command.line}: no trap, wanted ${command.text}`)
}

function run({ commands }: Script): Tally {
  const machine = new Machine()
  const tally: Tally = { passed: 0, leftOut: 0 }
  for (const command of commands) {
    const counts = command.type.startsWith('assert') ? 1 : 0
    try {
      runCommand(machine, command)
      tally.passed += counts
    } catch (error) {
      if (!(error instanceof LeftOut)) throw error
      tally.leftOut += counts
    }
  }
  return tally
}

/** Assertions of each script about modules that import a table, a memory or a global, or that share one with such a module. */
const leftOut: Readonly<Record<string, number>> = {
  data: 4,
  elem: 14,
  global: 58,
  imports: 30,
  linking: 65,
  memory_grow: 2,
  table_grow: 2,
}

describe('official tests of the specification, on rewritten modules', () => {
  it.each(readScripts().map((script) => [script.name, script] as const))('%s', (name, script) => {
    const assertions = script.commands.filter(({ type }) => type.startsWith('assert')).length
    const left = leftOut[name] ?? 0
    expect(run(script)).toEqual({ passed: assertions - left, leftOut: left })
  })
})

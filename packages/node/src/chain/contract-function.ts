import { createRequire } from 'node:module'
import type * as AbiFunction from 'ox/AbiFunction'

type Parameter = AbiFunction.AbiFunction['inputs'][number]

const require = createRequire(import.meta.url)
let codec: typeof AbiFunction | undefined

/** Loaded by the first project that calls contracts so: every thread of every node would pay 9 MiB for it otherwise. */
function loadCodec(): typeof AbiFunction {
  codec ??= require('ox/AbiFunction') as typeof AbiFunction
  return codec
}

/** A function of a contract, read from its Solidity signature. */
export interface ContractFunction {
  readonly name: string
  /** Solidity types of the parameters. */
  readonly parameters: readonly string[]
  readonly abi: AbiFunction.AbiFunction
}

/** @returns the function, or what is wrong with the text, such as `function mint(address to, uint256 amount)` */
export function readFunction(signature: string): ContractFunction | { readonly problem: string } {
  const text = signature.trim()
  try {
    const abi = loadCodec().from(text.startsWith('function ') ? text : `function ${text}`) as AbiFunction.AbiFunction
    if (abi.type !== 'function') return { problem: 'is no function' }
    return { name: abi.name, parameters: abi.inputs.map(({ type }) => type), abi }
  } catch (error) {
    return { problem: `is no Solidity function: ${firstLine(error)}` }
  }
}

/**
 * The data of a call with arguments as text: numbers in decimal or with `0x`, bytes and addresses in hexadecimal, lists and
 * tuples as JSON.
 * @throws Error with a short text when an argument is not of its type
 */
export function encodeFunctionCall({ abi }: ContractFunction, args: readonly string[]): string {
  const values = abi.inputs.map((parameter, i) => argument(parameter, args[i] ?? ''))
  try {
    return loadCodec().encodeData(abi, values)
  } catch (error) {
    throw new Error(firstLine(error), { cause: error })
  }
}

function argument(parameter: Parameter, text: string): unknown {
  const { type } = parameter
  if (type.endsWith(']') || type === 'tuple') return nested(parameter, parseJson(text, type))
  return scalar(type, text)
}

function nested(parameter: Parameter, value: unknown): unknown {
  const { type } = parameter
  const element = /^(.*)\[\d*\]$/s.exec(type)?.[1]
  if (element !== undefined) {
    if (!Array.isArray(value)) throw new Error(`wanted a list for ${type}`)
    return value.map((item) => nested({ ...parameter, type: element }, item))
  }
  if (type !== 'tuple' || !('components' in parameter))
    return scalar(type, typeof value === 'string' ? value : JSON.stringify(value))
  if (typeof value !== 'object' || value === null) throw new Error('wanted an object for a tuple')
  const fields = value as Record<string, unknown>
  return Object.fromEntries(
    parameter.components.map((part) => [part.name ?? '', nested(part, fields[part.name ?? ''])]),
  )
}

function scalar(type: string, text: string): unknown {
  if (/^u?int\d*$/.test(type)) return integer(type, text)
  if (type !== 'bool') return text
  if (text === 'true' || text === 'false') return text === 'true'
  throw new Error(`"${text.slice(0, 80)}" is no bool`)
}

function integer(type: string, text: string): bigint {
  if (/^(-?\d{1,78}|0x[0-9a-fA-F]{1,64})$/.test(text)) return BigInt(text)
  throw new Error(`"${text.slice(0, 80)}" is no ${type}`)
}

function parseJson(text: string, type: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error(`"${text.slice(0, 80)}" is no JSON for ${type}`)
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]!.slice(0, 200)
}

import { type ContractFunction, encodeFunctionCall, readFunction } from '../../chain/contract-function.ts'
import type { Transaction } from '../../engine/engine.ts'
import type { FlowTransaction } from '../../project/flow.ts'
import { type Fields, SinkRefusal } from './fields.ts'
import type { Report } from './problem.ts'
import { fillTemplate, isConstant, readTemplate, type Template } from './template.ts'

/** Sends one transaction for each result. */
export interface ChainSink {
  readonly type: 'chain'
  readonly chainId: bigint
  readonly to: Template
  readonly value: Template
  readonly operator: string
  /** The call's data, or the function with its arguments. */
  readonly call: Template | { readonly function: ContractFunction; readonly args: readonly Template[] }
}

const path = ['sink', 'sinkInfo', 'chainBlock'] as const
const address = /^0x[0-9a-fA-F]{40}$/
const hexDigits = /^([0-9a-fA-F]{2})*$/

export function readChainSink(block: FlowTransaction | null | undefined, report: Report): ChainSink | undefined {
  if (!block) return void report(path, 'the sink BLOCKCHAIN wants a chainBlock')
  const { chainID, to, value = '0', data, operator = '' } = block
  if (!Number.isSafeInteger(chainID) || chainID <= 0) report([...path, 'chainID'], 'is no id of a chain')
  if (!to) report([...path, 'to'], 'is missing: a chain alone says nothing of what to send')
  if ((data === undefined) === (block.function === undefined)) report(path, 'wants either data or a function')
  const destination = template('to', to ?? '', report)
  if (to && destination && isConstant(destination) && !address.test(to)) report([...path, 'to'], 'is no address')
  const wei = template('value', value, report)
  if (wei && isConstant(wei) && !isWei(value)) report([...path, 'value'], 'is no decimal number of wei')
  const call = block.function === undefined ? template('data', data ?? '', report) : readCall(block, report)
  if (!destination || !wei || !call) return undefined
  return {
    type: 'chain',
    chainId: BigInt(Math.max(0, Math.trunc(chainID) || 0)),
    to: destination,
    value: wei,
    operator,
    call,
  }
}

/** @throws SinkRefusal when what the fields make is no transaction */
export function transactionOf({ chainId, to, value, operator, call }: ChainSink, fields: Fields): Transaction {
  const destination = fillTemplate(to, fields)
  if (!address.test(destination)) throw new SinkRefusal(`"${destination.slice(0, 80)}" is no address`)
  const wei = fillTemplate(value, fields)
  if (!isWei(wei)) throw new SinkRefusal(`"${wei.slice(0, 80)}" is no decimal number of wei`)
  const data = 'parts' in call ? fillData(call, fields) : encode(call, fields)
  return { chainId, chainName: '', to: destination, value: BigInt(wei), data, operatorName: operator }
}

/** Whether a text is a number of the chain, 256 bits. */
function isWei(text: string): boolean {
  return /^\d{1,78}$/.test(text) && BigInt(text) < 2n ** 256n
}

function readCall(
  { function: signature = '', args = [] }: FlowTransaction,
  report: Report,
): ChainSink['call'] | undefined {
  const read = readFunction(signature)
  if ('problem' in read) return void report([...path, 'function'], read.problem)
  const wanted = read.parameters.length
  if (args.length !== wanted) report([...path, 'args'], `${args.length} given, and ${read.name} takes ${wanted}`)
  const templates = args.map((text, i) => template(`args[${i}]`, text, report))
  return { function: read, args: templates.filter((one) => one !== undefined) }
}

function template(field: string, text: string, report: Report): Template | undefined {
  const read = readTemplate(text)
  if ('parts' in read) return read
  return void report([...path, field], read.problem)
}

function fillData(call: Template, fields: Fields): string {
  const data = fillTemplate(call, fields, (value, field) => {
    if (!hexDigits.test(value.replace(/^0x/, ''))) throw new SinkRefusal(`field "${field}" is not hexadecimal`)
  })
  const digits = data.replaceAll('0x', '')
  if (!hexDigits.test(digits)) throw new SinkRefusal('the data is not hexadecimal')
  return `0x${digits.toLowerCase()}`
}

function encode({ function: called, args }: Extract<ChainSink['call'], { args: unknown }>, fields: Fields): string {
  try {
    return encodeFunctionCall(
      called,
      args.map((arg) => fillTemplate(arg, fields)),
    )
  } catch (error) {
    throw error instanceof SinkRefusal ? error : new SinkRefusal((error as Error).message)
  }
}

import { fromHex, type Hex, toHex } from '@w3bstream/protocol'
import { ChainError } from './errors.ts'

/** A call of a contract, checked. */
export interface ContractCall {
  /** Lower case. */
  readonly to: Hex
  readonly data: Hex
}

/** Nodes do not pass on transactions above 128 KiB. */
const maxDataBytes = 128 * 1024

/**
 * Checks what an applet wrote. As lenient as the published kits need: `data` with or without `0x`, also empty (a plain
 * transfer); addresses in any case.
 * @throws ChainError TX_INVALID
 */
export function checkCall({ to, data }: { to: string; data: string }): ContractCall {
  const digits = data.trim().replace(/^0x/i, '')
  if (digits.length > 2 * maxDataBytes)
    throw new ChainError({ code: 'TX_INVALID', field: 'data', value: `${digits.length} digits`, wanted: '128 KiB' })
  return { to: hexField('to', to, 20), data: hexField('data', digits) }
}

/** @throws ChainError TX_INVALID */
export function checkValue(value: bigint): bigint {
  if (value < 0n || value >= 1n << 256n)
    throw new ChainError({ code: 'TX_INVALID', field: 'value', value: `${value}`, wanted: '0 … 2^256 - 1 wei' })
  return value
}

/** @throws ChainError TX_INVALID */
export function checkHash(hash: string): Hex {
  return hexField('hash', hash, 32)
}

function hexField(field: string, text: string, length?: number): Hex {
  try {
    return toHex(fromHex(text.trim(), length))
  } catch (cause) {
    const wanted = length === undefined ? 'hexadecimal' : `${length} bytes as hexadecimal`
    throw new ChainError({ code: 'TX_INVALID', field, value: text.slice(0, 80), wanted }, { cause })
  }
}

import { decodeReceipt, equalBytes, type Receipt, toHex } from '@w3bstream/protocol'

/** Where the history and its repetition are not the same. */
export interface Difference {
  readonly height: bigint
  /** Index of the message in the batch, when it is about one. */
  readonly message?: number
  /** `header`, `message`, `receipt.status`, `results[0].code`, `witness`, `stateDigest`, `kv …`, … */
  readonly field: string
  /** As the history has it. */
  readonly wanted: string
  /** As the repetition has it. */
  readonly found: string
}

/** Characters of a value that are shown. */
const shownLength = 200

export function shown(value: unknown): string {
  if (value === undefined) return 'nothing'
  const text = value instanceof Uint8Array ? toHex(value) : typeof value === 'string' ? value : String(value)
  return text.length > shownLength ? `${text.slice(0, shownLength)}… (${text.length} characters)` : text
}

/** A difference of two byte strings, if they differ. */
export function compareBytes(
  place: { height: bigint; message?: number; field: string },
  wanted: Uint8Array | undefined,
  found: Uint8Array | undefined,
): Difference[] {
  if (wanted && found && equalBytes(wanted, found)) return []
  if (!wanted && !found) return []
  return [{ ...place, wanted: shown(wanted), found: shown(found) }]
}

/** Names the first field in which two receipts differ. */
export function compareReceipts(
  height: bigint,
  message: number,
  wanted: Uint8Array,
  found: Uint8Array | undefined,
): Difference[] {
  if (found && equalBytes(wanted, found)) return []
  const [a, b] = [readable(wanted), found && readable(found)]
  const place = { height, message }
  if (!a || !b) return compareBytes({ ...place, field: 'receipt' }, wanted, found)
  const fields = Object.keys(a).filter((field) => a[field] !== b[field])
  const extra = Object.keys(b).filter((field) => !(field in a))
  const [first = 'receipt'] = [...fields, ...extra]
  return [{ ...place, field: first, wanted: shown(a[first]), found: shown(b[first]) }]
}

/** The fields of a receipt by their paths; undefined when it cannot be decoded. */
function readable(bytes: Uint8Array): Record<string, string> | undefined {
  try {
    return flatten(decodeReceipt(bytes))
  } catch {
    return undefined
  }
}

function flatten({ results, effects, ...rest }: Receipt): Record<string, string> {
  const fields: Record<string, string> = {}
  for (const [name, value] of Object.entries(rest)) fields[`receipt.${name}`] = plain(value)
  fields['receipt.effects'] = `${effects.first}+${effects.count}`
  for (const [i, result] of results.entries())
    for (const [name, value] of Object.entries(result)) fields[`results[${i}].${name}`] = plain(value)
  return fields
}

function plain(value: unknown): string {
  return value instanceof Uint8Array ? toHex(value) : String(value)
}

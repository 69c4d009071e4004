/** What every fault carries: a stable code, which is also its metric label and its API answer. */
export interface Fault {
  readonly code: string
}

/**
 * Base of all errors of this project. Each component has one subclass over a union of its faults, so that a switch over
 * `fault.code` is checked by the compiler. The codes are listed in `docs/errors.md`.
 */
export class W3bstreamError<F extends Fault = Fault> extends Error {
  readonly fault: F

  constructor(fault: F, options?: { message?: string; cause?: unknown }) {
    super(options?.message ?? describe(fault), options?.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.fault = fault
  }

  get code(): F['code'] {
    return this.fault.code
  }
}

/** `CODE field=value …`: the short text for logs; long values are cut. */
export function describe(fault: Fault): string {
  const { code, ...details } = fault
  const fields = Object.entries(details)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${show(value)}`)
  return [code, ...fields].join(' ')
}

function show(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? `${v}` : v))
  return text !== undefined && text.length > 200 ? `${text.slice(0, 200)}…` : String(text)
}

/** Faults of decoding and checking what others sent. */
export type ProtocolFault =
  | { code: 'HEX_INVALID'; value: string; wantedBytes?: number }
  | { code: 'CODEC_TRUNCATED'; offset: number; wanted: number; available: number }
  | { code: 'CODEC_TRAILING'; offset: number; trailing: number }
  | { code: 'CODEC_LIMIT'; field: string; size: number; limit: number }
  | { code: 'CODEC_VALUE'; field: string; value: string; wanted: string }
  | { code: 'ENVELOPE_SIGNATURE'; device: string }
  | { code: 'RECEIPT_INVALID'; check: string; detail: string }

export class ProtocolError extends W3bstreamError<ProtocolFault> {}

import type { Value } from './script.ts'

/** What a null reference is in the scripts. */
const nullReference = 'null'

/** External references of the scripts are numbers; here each is an object of its own. */
const externals = new Map<string, object>()

function external(value: string): object {
  const known = externals.get(value) ?? { external: value }
  externals.set(value, known)
  return known
}

function isReference({ type }: Value): boolean {
  return type === 'funcref' || type === 'externref'
}

const laneBytes = { i8: 1, i16: 2, i32: 4, i64: 8, f32: 4, f64: 8 } as const

/** Numbers of a value with their widths: one, or the lanes of a vector. */
function lanes({ type, lane_type: lane, value }: Value): { kind: keyof typeof laneBytes; texts: readonly string[] } {
  if (type === 'v128') return { kind: lane!, texts: value as readonly string[] }
  return { kind: type as 'i32' | 'i64' | 'f32' | 'f64', texts: [value as string] }
}

const canonicalNan = { f32: 0x7fc0_0000n, f64: 0x7ff8_0000_0000_0000n } as const

function laneBits(kind: keyof typeof laneBytes, text: string): bigint {
  // The specification allows either sign, and for `nan:arithmetic` any payload; our engine makes one NaN of them all.
  if (text.startsWith('nan:')) return canonicalNan[kind as 'f32' | 'f64']
  return BigInt.asUintN(laneBytes[kind] * 8, BigInt(text))
}

function bytesOf(value: Value): Uint8Array {
  const { kind, texts } = lanes(value)
  const bytes = Buffer.alloc(16)
  const width = laneBytes[kind]
  texts.forEach((text, index) => {
    let bits = laneBits(kind, text)
    for (let n = 0; n < width; n++, bits >>= 8n) bytes[index * width + n] = Number(bits & 0xffn)
  })
  return bytes.subarray(0, width * texts.length)
}

/** As an adapter takes it. */
export function toArgument(value: Value): unknown {
  if (!isReference(value)) return bytesOf(value)
  return value.value === nullReference ? null : external(value.value as string)
}

/** Something that is equal for what the script expects and what came. */
export function expectation(value: Value): unknown {
  if (!isReference(value)) return Buffer.from(bytesOf(value)).toString('hex')
  if (value.value === nullReference) return null
  return value.type === 'funcref' ? 'function' : external(value.value as string)
}

/**
 * What an adapter answered, in the form of {@link expectation}.
 * @param anySign of NaNs: operations that only change signs make no canonical NaN
 */
export function found(value: Value, answer: unknown, anySign: boolean): unknown {
  if (isReference(value)) return typeof answer === 'function' ? 'function' : answer
  const { kind, texts } = lanes(value)
  const width = laneBytes[kind]
  const bytes = Buffer.from((answer as Uint8Array).subarray(0, width * texts.length))
  texts.forEach((text, index) => {
    if (anySign && text.startsWith('nan:')) bytes[(index + 1) * width - 1]! &= 0x7f
  })
  return bytes.toString('hex')
}

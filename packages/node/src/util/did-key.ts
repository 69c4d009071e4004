import { decodeDeviceKey, isCurvePoint, ProtocolError, publicKeyFromDidKey } from '@w3bstream/protocol'

/** The characters of a `did:key`, for schemas; what stands for which key is looked at by {@link didKeyProblem}. */
export const didKeyPattern = 'did:key:z[1-9A-HJ-NP-Za-km-z]+'

/** What keeps a text from being the `did:key` of a device: its alphabet, kind, length, or that the key is no point of its curve. */
export function didKeyProblem(text: string): string | undefined {
  try {
    if (isCurvePoint(decodeDeviceKey(publicKeyFromDidKey(text)))) return undefined
    return 'not a did:key: wanted a point of the curve'
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    const { fault } = error
    if (fault.code === 'CODEC_LIMIT') return `not a did:key: ${fault.size} characters, at most ${fault.limit}`
    return `not a did:key: wanted ${fault.code === 'CODEC_VALUE' ? fault.wanted : fault.code}`
  }
}

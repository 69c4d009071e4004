/** Makes validity proofs. What it is given is a program's name and inputs; what it gives is the proof as text. */
export interface ProofRequest {
  /** Eight 32-bit numbers, separated by commas. */
  readonly imageId: string
  readonly privateInput: string
  readonly publicInput: string
  /** `Stark` or `Snark`. */
  readonly receiptType: string
}

export interface Prover {
  /** @throws ProvingError; the signal's reason, when it aborts */
  prove(request: ProofRequest, signal: AbortSignal): Promise<string>
}

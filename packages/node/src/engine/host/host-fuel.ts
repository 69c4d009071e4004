/**
 * What host functions cost beside the call itself (`fuelCosts.hostCall`), in units of fuel: about what the machine does for
 * them in nanoseconds, so that no guest gets work of the host for nothing. Listed in `docs/spec/fuel.md`; part of the engine's
 * version.
 */
export const hostFuel = {
  /** Bytes that cross between guest and host for one unit, rounded up. */
  bytesPerUnit: 4,
  /** A line of the log, which is stored. */
  log: 1000,
  kv: 400,
  /** A statement; what it reads inside the store is bounded by the limits of rows and bytes. */
  sql: 8000,
  /** Asking a chain: an estimate and a signature, or a read. */
  chain: 50_000,
  /** What is written down to be done later. */
  effect: 2000,
  file: 500,
} as const

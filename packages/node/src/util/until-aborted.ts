/** Resolves with the work or at the signal, whichever comes first. */
export async function untilAborted(work: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return void (await work)
  const aborted = Promise.withResolvers<void>()
  const give = () => aborted.resolve()
  if (signal.aborted) give()
  signal.addEventListener('abort', give)
  try {
    await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', give)
  }
}

/** Resolves after a time, without keeping the process alive. @throws the signal's reason, when it aborts */
export function rest(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const abort = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort)
      resolve()
    }, ms).unref()
    signal.addEventListener('abort', abort, { once: true })
  })
}

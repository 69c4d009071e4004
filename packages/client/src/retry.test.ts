import { describe, expect, it } from 'vitest'
import { ClientError } from './errors.ts'
import { delayMs, isRetryable, withRetries } from './retry.ts'

const options = { retries: 5, minDelayMs: 100, maxDelayMs: 1000, whenUncertain: true }
const busy = (retryAfterMs?: number) => new ClientError({ code: 'BUSY', key: '', desc: '', retryAfterMs })

describe('retries', () => {
  it('wait twice as long each time, up to the longest, with a random half', () => {
    const longest = [0, 1, 2, 3, 4, 50].map((n) => delayMs(n, busy(), options, () => 1))
    expect(longest).toEqual([100, 200, 400, 800, 1000, 1000])
    expect(delayMs(2, busy(), options, () => 0)).toBe(200)
  })

  it('wait at least as long as the node asks, at most as long as allowed', () => {
    expect(delayMs(0, busy(700), options, () => 1)).toBe(700)
    expect(delayMs(3, busy(1), options, () => 1)).toBe(800)
    expect(delayMs(0, busy(60_000), options, () => 1)).toBe(1000)
  })

  it('are for failures that may pass', () => {
    const network = new ClientError({ code: 'NETWORK', detail: '' })
    expect(
      [busy(), network, new ClientError({ code: 'TIMEOUT', timeoutMs: 1 })].map((e) => isRetryable(e, true)),
    ).toEqual([true, true, true])
    expect(isRetryable(busy(), false)).toBe(true)
    expect(isRetryable(network, false)).toBe(false)
    expect(isRetryable(new ClientError({ code: 'UNAUTHORIZED', key: '', desc: '' }), true)).toBe(false)
    expect(isRetryable(new TypeError('a fault of ours'), true)).toBe(false)
  })

  it('end with the signal’s reason, also during a pause', async () => {
    const abort = new AbortController()
    const reason = new Error('enough')
    const trying = withRetries(() => Promise.reject(busy(1e9)), { ...options, maxDelayMs: 1e9 }, abort.signal)
    queueMicrotask(() => setImmediate(() => abort.abort(reason)))
    await expect(trying).rejects.toBe(reason)
  })
})

import type { Message, ProjectKey } from '@w3bstream/protocol'
import { describe, expect, it } from 'vitest'
import { createPinoLogger } from '../telemetry/pino-logger.ts'
import { Settle } from './settle.ts'

const project = '0x01' as ProjectKey
const effect = new Uint8Array(32).fill(0xab)
const hash = '0x11'

function unused(): never {
  throw new Error('not asked for here')
}

/** A settle that can put messages into the history, and nothing else. */
function settle(): { readonly settle: Settle; readonly submitted: Message[] } {
  const submitted: Message[] = []
  const submit = async (_: ProjectKey, message: Message) => void submitted.push(message)
  const outside = { dispatch: unused, publishMqtt: unused, updateOutbox: unused, onSettled: unused }
  const chains = { readTransaction: unused }
  const logger = createPinoLogger({ level: 'error' })
  return { settle: new Settle({ ...outside, chains, submit, now: () => 5, logger }), submitted }
}

describe('the end of a transaction', () => {
  it.each([
    { outcome: { state: 'CONFIRMED', hash, blockNumber: 2n ** 60n }, told: { blockNumber: '1152921504606846976' } },
    { outcome: { state: 'FAILED', hash, detail: 'reverted' }, told: { detail: 'reverted' } },
  ] as const)('becomes a message of the history: $outcome.state', async ({ outcome, told }) => {
    const { settle: it, submitted } = settle()
    await it.transactionEnded(project, effect, outcome)
    expect(submitted).toHaveLength(1)
    expect(submitted[0]).toMatchObject({ kind: 'answer', eventType: '', receivedMs: 5 })
    const payload = JSON.parse(new TextDecoder().decode(submitted[0]?.payload))
    expect(payload).toEqual({ effectId: `0x${'ab'.repeat(32)}`, state: outcome.state, hash, ...told })
  })
})

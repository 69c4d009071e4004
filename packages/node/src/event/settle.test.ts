import type { Message, ProjectKey } from '@w3bstream/protocol'
import { encodeEffectBody } from '@w3bstream/protocol'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ApiError } from '../endpoint/api-error.ts'
import { MqttError } from '../endpoint/mqtt/errors.ts'
import { silentLogger } from '../telemetry/logger.ts'
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

describe('an effect', () => {
  afterEach(() => vi.useRealTimers())

  /** A settle whose publishes end as told, one after the other; the last outcome stays. */
  function publishing(...outcomes: (Error | undefined)[]) {
    const states: unknown[] = []
    const publishMqtt = vi.fn(async () => {
      const outcome = outcomes.length > 1 ? outcomes.shift() : outcomes[0]
      if (outcome) throw outcome
    })
    const it = new Settle({
      dispatch: unused,
      publishMqtt,
      chains: { readTransaction: unused },
      submit: unused,
      updateOutbox: (_, [change]) => void states.push(change?.state ?? `attempt ${change?.attempts}`),
      onSettled() {},
      now: () => 5,
      logger: silentLogger,
    })
    const body = encodeEffectBody({ kind: 'mqtt', topic: 't', payload: new Uint8Array(1) })
    const row = {
      height: 1n,
      index: 0,
      messageIndex: 0,
      id: effect,
      kind: 'mqtt',
      body,
      local: '',
      state: 'INIT',
      attempts: 0,
      detail: '',
      updatedMs: 0,
    } as const
    it.resume(project, [row])
    return { settle: it, states, publishMqtt }
  }

  it('waits until the endpoints stand', async () => {
    const { settle: it, states, publishMqtt } = publishing(undefined)
    expect(publishMqtt).not.toHaveBeenCalled()
    it.open()
    await vi.waitUntil(() => states.length > 0)
    expect(states).toEqual(['CONFIRMED'])
  })

  it('is tried again while it may succeed later', async () => {
    vi.useFakeTimers()
    const { settle: it, states } = publishing(new Error('the broker is away'), new ApiError('MailboxFull'), undefined)
    it.open()
    await vi.advanceTimersByTimeAsync(200_000)
    expect(states).toEqual(['attempt 1', 'attempt 2', 'CONFIRMED'])
  })

  it.each([new MqttError({ code: 'MQTT_TOPIC', topic: '#', detail: 'a filter' }), new ApiError('ProjectNotFound')])(
    'has failed when trying again is no use: %s',
    async (error) => {
      const { settle: it, states } = publishing(error)
      it.open()
      await vi.waitUntil(() => states.length > 0)
      expect(states).toEqual(['FAILED'])
    },
  )

  it('stays in the outbox when the node stops', async () => {
    vi.useFakeTimers()
    const { settle: it, states, publishMqtt } = publishing(new Error('away'))
    it.open()
    await vi.advanceTimersByTimeAsync(10)
    it.close()
    await vi.advanceTimersByTimeAsync(200_000)
    expect(states).toEqual(['attempt 1'])
    expect(publishMqtt).toHaveBeenCalledTimes(1)
  })
})

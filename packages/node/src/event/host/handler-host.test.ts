import { toHex } from '@w3bstream/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import type { SignedTransaction } from '../../chain/chain.ts'
import type { ProjectTransaction } from '../../database/database.ts'
import { defaultProjectSettings, type Instance, type ProjectDefinition } from '../../project/definition.ts'
import { noAssets, noServices } from '../testing/world.ts'
import { decodeWitness } from '../witness.ts'
import type { CurrentCall } from './current-call.ts'
import { HandlerHost } from './handler-host.ts'

const mebibyte = 1024 * 1024
const instance = { instanceId: '1', appletId: '2' } as Instance
const call: CurrentCall = {
  messageIndex: 0,
  ordinal: 0,
  eventId: '',
  eventType: 'DEFAULT',
  timestampMs: 0,
  receivedMs: 0,
  topic: '',
  publisherKey: '',
  signed: false,
  payload: new Uint8Array(0),
  instance,
  namespace: 'applet:2',
}
const signed: SignedTransaction = {
  chainId: 1n,
  chainName: 'local',
  from: '0x01',
  to: '0x02',
  value: 0n,
  data: '0x',
  operator: 'default',
  operatorId: '7',
  nonce: 0,
  hash: '0x03',
  raw: '0x',
}
/** A store with nothing in it. */
const transaction = { kvGet: () => undefined } as unknown as ProjectTransaction
let answer = new Uint8Array(0)
let host: HandlerHost

beforeEach(() => {
  host = new HandlerHost(
    {
      project: `0x${'01'.repeat(32)}`,
      projectBytes: new Uint8Array(32).fill(1),
      height: 1n,
      timeMs: 5,
      definition: {
        settings: defaultProjectSettings,
        project: { accountId: '8' },
        trafficLimits: new Map(),
      } as unknown as ProjectDefinition,
    },
    {
      transaction,
      services: { ...noServices, call: () => Promise.resolve(answer), sign: () => Promise.resolve(signed) },
      progress: { enter() {}, leave() {}, pause: () => 0 },
      modules: { assets: noAssets },
    },
  )
  host.begin(call)
})

/** How many values of a mebibyte a handler may write until it is refused. */
function fill(): number {
  const value = new Uint8Array(mebibyte)
  for (let n = 0; n < 1000; n++)
    try {
      host.kvPut(`${n}`, value)
    } catch (error) {
      expect(error).toMatchObject({ reason: 'Limit' })
      return n
    }
  return Number.POSITIVE_INFINITY
}

describe('what the handlers of a batch hold', () => {
  it('is bounded, however often one writes the same', () => {
    expect(fill()).toBe(63)
    expect(() => host.kvPut('0', new Uint8Array(mebibyte))).toThrow('more than')
    expect(() => host.publishMqtt('t', new Uint8Array(mebibyte))).toThrow('more than')
  })

  it('counts for those after, unless it was undone', () => {
    fill()
    host.endPlain(false)
    host.begin(call)
    expect(fill()).toBe(63)
    host.endPlain(true)
    host.begin(call)
    expect(fill()).toBe(0)
  })

  it('includes answers, which the witness keeps, and refuses those that it could not keep', async () => {
    answer = new Uint8Array(16 * mebibyte)
    const ask = () => host.callContract({ chainId: 1n, to: '0x', data: '0x' })
    for (let n = 0; n < 2; n++) await ask()
    host.endPlain(false)
    host.begin(call)
    expect(fill()).toBe(31)
    answer = new Uint8Array(16 * mebibyte + 1)
    await expect(ask()).rejects.toMatchObject({ reason: 'Chain' })
    const entries = decodeWitness(host.witness.finish())
    expect(entries.map(({ answered }) => answered)).toEqual([true, true, false])
  })

  it('bounds the log lines of a batch', () => {
    const line = 'x'.repeat(mebibyte)
    for (let n = 0; n < 100; n++) host.log(4, 'wasmCode', line)
    expect(host.logs).toHaveLength(64)
  })
})

describe('calls of the system', () => {
  const decode = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes))
  const api = async (path: string, body: object) => {
    const request = {
      Method: 'POST',
      Url: `/system/${path}`,
      Header: { eventType: ['R'] },
      Body: Buffer.from(JSON.stringify(body)).toString('base64'),
    }
    const { Body } = decode(await host.apiCall(new TextEncoder().encode(JSON.stringify(request))))
    return Body && decode(Buffer.from(Body, 'base64'))
  }

  it('find a transaction in the state by the id that its sender was told, if the sender succeeded', async () => {
    const asked = async (transactionID: string) => {
      await api('send_tx/async/state', { transactionID })
      await host.end(true)
      host.begin(call)
      const { body } = host.effects.at(-1)!.effect
      return body.kind === 'api' && decode(body.body)
    }
    const send = () => api('send_tx', { chainName: 'local', data: '0x', to: '0x02' })
    const undone = await send()
    await host.end(false)
    host.begin(call)
    const { transactionID } = await send()
    await host.end(true)
    host.begin(call)
    expect(undone).toEqual({ transactionID })
    const effect = toHex(host.effects[0]!.effect.id)
    expect(await asked(transactionID)).toEqual({ transactionID, height: '1', effect, untilMs: 7_200_005 })
    expect(await asked('5')).toEqual({ transactionID: '5', untilMs: 7_200_005 })
  })
})

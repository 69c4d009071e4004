import { beforeEach, describe, expect, it } from 'vitest'
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
/** Nothing here reads the store or writes to it before the end of the batch. */
const transaction = {} as ProjectTransaction
let answer = new Uint8Array(0)
let host: HandlerHost

beforeEach(() => {
  host = new HandlerHost(
    {
      project: `0x${'01'.repeat(32)}`,
      projectBytes: new Uint8Array(32).fill(1),
      height: 1n,
      timeMs: 5,
      definition: { settings: defaultProjectSettings } as ProjectDefinition,
    },
    {
      transaction,
      services: { ...noServices, call: () => Promise.resolve(answer) },
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

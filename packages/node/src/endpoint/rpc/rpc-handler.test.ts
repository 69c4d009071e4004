import { createSigner, encodeEnvelope, envelopeToJson, signEnvelope, toBase64 } from '@w3bstream/protocol'
import { describe, expect, it } from 'vitest'
import { ApiError } from '../api-error.ts'
import { NodeFixture, unknownMessage } from './rpc.fixture.ts'
import { createRpcEndpoint } from './rpc-endpoint.ts'

interface Answer {
  result?: Record<string, unknown>
  error?: {
    code: number
    message: string
    data: { key: string; desc: string; fields: { field: string; msg: string }[] | null }
  }
}

function open() {
  const node = new NodeFixture()
  const endpoint = createRpcEndpoint({}, node.deps)
  const call = async (token: string | undefined, method: string, params: unknown): Promise<Answer> => {
    const body = new TextEncoder().encode(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))
    const answer = await endpoint.handleHttp(body, token)
    return JSON.parse(new TextDecoder().decode(answer)) as Answer
  }
  return { node, endpoint, call }
}

const event = { channel: 'aid_1_demo', payload: 'hello' }

async function envelope() {
  const unsigned = {
    project: new Uint8Array(32).fill(0x11),
    nonce: new Uint8Array(8),
    timestampMs: 1,
    eventType: 'DEFAULT',
    eventId: '',
    payload: new Uint8Array([1, 2]),
  }
  return await signEnvelope(unsigned, createSigner('ed25519', new Uint8Array(32).fill(1)))
}

describe('w3b_publish', () => {
  it('hands an event with all its parts to the door', async () => {
    const { node, call } = open()
    const full = { eventType: 'T', eventId: 'e1', timestamp: 1_700_000_000_000, idempotencyKey: 'k' }
    const { result } = await call('token-alpha', 'w3b_publish', { ...event, ...full })
    expect(result).toMatchObject({
      channel: 'aid_1_demo',
      publisherKey: 'alpha',
      eventID: 'e1',
      messageID: expect.stringMatching(/^0x/),
    })
    const { timestamp, ...rest } = full
    const payload = new TextEncoder().encode('hello')
    const expected = { ...rest, channel: 'aid_1_demo', timestampMs: timestamp, payload, transport: 'rpc' }
    expect(node.published).toEqual([{ publisher: 'alpha', event: expected }])
  })

  it('takes parameters by position, base64, and a token among the parameters', async () => {
    const { node, call } = open()
    await call('token-alpha', 'w3b_publish', ['aid_1_demo', 'x', 'TYPE'])
    await call('token-alpha', 'w3b_publish', { ...event, payload: 'AAEC', encoding: 'base64', token: 'token-beta' })
    expect(node.published.map(({ publisher, event }) => [publisher, event.eventType, ...event.payload])).toEqual([
      ['alpha', 'TYPE', 'x'.charCodeAt(0)],
      ['beta', undefined, 0, 1, 2],
    ])
  })

  it('takes an envelope in both forms without any token', async () => {
    const { node, call } = open()
    const signed = await envelope()
    await call(undefined, 'w3b_publish', { envelope: envelopeToJson(signed) })
    await call(undefined, 'w3b_publish', { envelope: toBase64(encodeEnvelope(signed)) })
    expect(node.envelopes).toEqual([encodeEnvelope(signed), encodeEnvelope(signed)])
  })

  const refusals: [name: string, token: string | undefined, params: unknown, code: number, key: string][] = [
    ['no token in a project that is not public', undefined, event, -32001, 'InvalidToken'],
    ['an unknown token', 'forged', event, -32001, 'InvalidToken'],
    ['an unknown token among the parameters', 'token-alpha', { ...event, token: 'forged' }, -32001, 'InvalidToken'],
    ['an account’s token', 'token-owner', event, -32001, 'InvalidAuthPublisherID'],
    ['another project’s channel', 'token-alpha', { ...event, channel: 'aid_2_other' }, -32001, 'InvalidEventChannel'],
    ['base64 that is none', 'token-alpha', { ...event, payload: '?', encoding: 'base64' }, -32602, 'badRequest'],
    ['an envelope that is none', undefined, { envelope: {} }, -32000, 'InvalidEnvelope'],
    ['an envelope in broken base64', undefined, { envelope: '!' }, -32000, 'InvalidEnvelope'],
    ['an envelope of another type', undefined, { envelope: 5 }, -32602, 'badRequest'],
  ]
  for (const [name, token, params, code, key] of refusals) {
    it(`refuses ${name}`, async () => {
      const { node, call } = open()
      expect((await call(token, 'w3b_publish', params)).error).toMatchObject({ code, data: { key } })
      expect(node.published).toEqual([])
    })
  }

  it('names every wrong parameter at once', async () => {
    const wrong = { payload: 5, encoding: 'hex', timestamp: -1, idempotencyKey: 'k'.repeat(129), surprise: true }
    const { error } = await open().call('token-alpha', 'w3b_publish', wrong)
    expect(error).toMatchObject({ code: -32602, message: 'Invalid params' })
    const fields = new Set(error?.data.fields?.map(({ field }) => field))
    expect(fields).toEqual(new Set(['channel', 'payload', 'encoding', 'timestamp', 'idempotencyKey', 'surprise']))
  })

  const busy: [error: Error, answer: object][] = [
    [
      new ApiError('MailboxFull', '', { retryAfterMs: 250 }),
      { code: -32029, data: { key: 'MailboxFull', retryAfterMs: 250 } },
    ],
    [new ApiError('NodeStopping'), { code: -32053, data: { key: 'NodeStopping' } }],
    [new ApiError('DiskFull'), { code: -32057, data: { key: 'DiskFull', code: 507_999_101 } }],
    [
      new Error('a detail of ours'),
      { code: -32603, message: 'Internal error', data: { key: 'UnknownError', desc: '' } },
    ],
  ]
  for (const [failure, answer] of busy) {
    it(`passes on ${failure.message}`, async () => {
      const { node, call } = open()
      node.failWith = failure
      expect((await call('token-alpha', 'w3b_publish', event)).error).toMatchObject(answer)
    })
  }
})

describe('what callers may read', () => {
  async function withMessage() {
    const opened = open()
    const { result } = await opened.call('token-alpha', 'w3b_publish', event)
    return { ...opened, messageId: String(result?.messageID) }
  }

  it('gives a device its own receipt and an account those of its projects', async () => {
    const { call, messageId } = await withMessage()
    const receipt = { format: 'w3bstream-receipt/1', summary: { messageId } }
    expect((await call('token-alpha', 'w3b_getReceipt', { messageId })).result).toEqual(receipt)
    for (const project of ['aid_1_demo', '101', `0x${'11'.repeat(32)}`])
      expect((await call('token-owner', 'w3b_getReceipt', { messageId, project })).result).toEqual(receipt)
  })

  const refusals: [name: string, token: string | undefined, params: object, code: number, key: string][] = [
    ['without a token', undefined, {}, -32001, 'InvalidToken'],
    ['to another device', 'token-beta', {}, -32004, 'ReceiptNotFound'],
    ['of a message that does not exist', 'token-alpha', { messageId: unknownMessage }, -32004, 'ReceiptNotFound'],
    [
      'to a device that names another project',
      'token-alpha',
      { project: 'aid_2_other' },
      -32001,
      'NoProjectPermission',
    ],
    ['to another account', 'token-stranger', { project: 'aid_1_demo' }, -32001, 'NoProjectPermission'],
    ['to an account that names no project', 'token-owner', {}, -32602, 'badRequest'],
    ['of a project that does not exist', 'token-owner', { project: 'aid_1_none' }, -32004, 'ProjectNotFound'],
    ['to a key without the group', 'key-project-only', { project: '101' }, -32003, 'AccessKeyPermissionDenied'],
    ['with an id that is none', 'token-alpha', { messageId: '0x12' }, -32602, 'badRequest'],
  ]
  for (const [name, token, params, code, key] of refusals) {
    it(`gives no receipt ${name}`, async () => {
      const { call, messageId } = await withMessage()
      expect((await call(token, 'w3b_getReceipt', { messageId, ...params })).error).toMatchObject({
        code,
        data: { key },
      })
    })
  }

  it('gives nothing under a token that was revoked', async () => {
    const { node, call, messageId } = await withMessage()
    node.alpha.valid = false
    expect((await call('token-alpha', 'w3b_getReceipt', { messageId })).error).toMatchObject({ code: -32001 })
    expect((await call('token-alpha', 'w3b_publish', event)).error).toMatchObject({ code: -32001 })
  })

  it('shows a project to its owner only', async () => {
    const { call } = open()
    expect((await call('token-owner', 'w3b_getProject', { project: '101' })).result).toMatchObject({
      projectID: '101',
      name: 'aid_1_demo',
      state: 'active',
      height: '0',
    })
    expect((await call('token-stranger', 'w3b_getProject', { project: '101' })).error).toMatchObject({ code: -32001 })
    expect((await call('token-alpha', 'w3b_getProject', {})).error).toMatchObject({ code: -32001 })
    expect((await call(undefined, 'w3b_getProject', {})).error).toMatchObject({ code: -32001 })
  })

  it('tells everybody what node it is, and has no subscriptions over HTTP', async () => {
    const { call } = open()
    expect((await call(undefined, 'w3b_nodeInfo', undefined)).result).toEqual({ version: '0.1.0' })
    const refused = await call('token-owner', 'w3b_subscribe', { topic: 'logs', project: '101' })
    expect(refused.error).toMatchObject({ code: -32000, data: { key: 'BadRequest' } })
  })
})

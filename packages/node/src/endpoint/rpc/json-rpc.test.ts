import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toErrorObject } from './errors.ts'
import { createJsonRpc, type RpcMethod } from './json-rpc.ts'

/** The methods that the examples of the specification (section 7) call. */
function exampleMethods(calls: string[] = []): Map<string, RpcMethod<undefined>> {
  const note = (name: string) => ({ positional: ['a', 'b', 'c', 'd', 'e'], call: () => void calls.push(name) })
  return new Map<string, RpcMethod<undefined>>([
    ['subtract', { positional: ['minuend', 'subtrahend'], call: (p) => Number(p.minuend) - Number(p.subtrahend) }],
    ['sum', { positional: ['a', 'b', 'c'], call: (p) => Number(p.a) + Number(p.b) + Number(p.c) }],
    ['get_data', { positional: [], call: () => ['hello', 5] }],
    ['update', note('update')],
    ['foobar_known', note('foobar_known')],
    ['notify_sum', note('notify_sum')],
    ['notify_hello', note('notify_hello')],
    [
      'fail',
      {
        positional: [],
        call: () => {
          throw new TypeError('a secret of the node')
        },
      },
    ],
  ])
}

function server(limits = { messageBytes: 4096, batchRequests: 6 }, calls?: string[]) {
  const rpc = createJsonRpc(limits, {
    methods: exampleMethods(calls),
    toErrorObject: (error) => toErrorObject(error, 'test'),
  })
  return async (text: string | Uint8Array): Promise<unknown> => {
    const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text
    const answer = await rpc(bytes, undefined)
    return answer && strip(JSON.parse(new TextDecoder().decode(answer)))
  }
}

/** Without the details in `error.data`, which the examples do not have. */
function strip(answer: unknown): unknown {
  if (Array.isArray(answer)) return answer.map(strip)
  const { error, ...rest } = answer as { error?: { code: number; message: string } }
  return error ? { ...rest, error: { code: error.code, message: error.message } } : rest
}

const invalid = { jsonrpc: '2.0', error: { code: -32600, message: 'Invalid Request' }, id: null }
const parseError = { jsonrpc: '2.0', error: { code: -32700, message: 'Parse error' }, id: null }

const examples: [name: string, request: string, answer: unknown][] = [
  [
    'positional parameters',
    '{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}',
    { jsonrpc: '2.0', result: 19, id: 1 },
  ],
  [
    'positional parameters, the other way round',
    '{"jsonrpc": "2.0", "method": "subtract", "params": [23, 42], "id": 2}',
    { jsonrpc: '2.0', result: -19, id: 2 },
  ],
  [
    'named parameters',
    '{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3}',
    { jsonrpc: '2.0', result: 19, id: 3 },
  ],
  [
    'named parameters in another order',
    '{"jsonrpc": "2.0", "method": "subtract", "params": {"minuend": 42, "subtrahend": 23}, "id": 4}',
    { jsonrpc: '2.0', result: 19, id: 4 },
  ],
  ['a notification', '{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}', undefined],
  ['a notification to no method', '{"jsonrpc": "2.0", "method": "foobar"}', undefined],
  [
    'a method that does not exist',
    '{"jsonrpc": "2.0", "method": "foobar", "id": "1"}',
    { jsonrpc: '2.0', error: { code: -32601, message: 'Method not found' }, id: '1' },
  ],
  ['invalid JSON', '{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]', parseError],
  ['an invalid request object', '{"jsonrpc": "2.0", "method": 1, "params": "bar"}', invalid],
  [
    'a batch of invalid JSON',
    '[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},{"jsonrpc": "2.0", "method"]',
    parseError,
  ],
  ['an empty array', '[]', invalid],
  ['a batch of one that is no request', '[1]', [invalid]],
  ['a batch of three that are no requests', '[1,2,3]', [invalid, invalid, invalid]],
  [
    'a batch of all kinds',
    `[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
      {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
      {"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},
      {"foo": "boo"},
      {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
      {"jsonrpc": "2.0", "method": "get_data", "id": "9"}]`,
    [
      { jsonrpc: '2.0', result: 7, id: '1' },
      { jsonrpc: '2.0', result: 19, id: '2' },
      invalid,
      { jsonrpc: '2.0', error: { code: -32601, message: 'Method not found' }, id: '5' },
      { jsonrpc: '2.0', result: ['hello', 5], id: '9' },
    ],
  ],
  [
    'a batch of notifications',
    '[{"jsonrpc": "2.0", "method": "notify_sum", "params": [1,2,4]},{"jsonrpc": "2.0", "method": "notify_hello", "params": [7]}]',
    undefined,
  ],
]

describe('the examples of the JSON-RPC 2.0 specification', () => {
  for (const [name, request, answer] of examples) {
    it(name, async () => expect(await server()(request)).toEqual(answer))
  }
})

describe('json-rpc', () => {
  it('carries out notifications', async () => {
    const calls: string[] = []
    await server(undefined, calls)('[{"jsonrpc":"2.0","method":"update"},{"jsonrpc":"2.0","method":"notify_hello"}]')
    expect(calls).toEqual(['update', 'notify_hello'])
  })

  const cases: [name: string, request: string | Uint8Array, answer: unknown][] = [
    [
      'an id of null is a request',
      '{"jsonrpc":"2.0","method":"get_data","id":null}',
      { id: null, result: ['hello', 5] },
    ],
    ['a method without a result', '{"jsonrpc":"2.0","method":"update","id":1}', { id: 1, result: null }],
    ['another version', '{"jsonrpc":"1.0","method":"get_data","id":7}', { id: 7, error: { code: -32600 } }],
    ['an id that is an object', '{"jsonrpc":"2.0","method":"get_data","id":{}}', { id: null, error: { code: -32600 } }],
    ['too many parameters', '{"jsonrpc":"2.0","method":"get_data","params":[1],"id":1}', { error: { code: -32602 } }],
    ['a batch that is too long', `[${Array(7).fill('1').join()}]`, { id: null, error: { code: -32600 } }],
    ['a message that is too long', ' '.repeat(4097), { id: null, error: { code: -32600 } }],
    ['no bytes', '', parseError],
    ['bytes that are no UTF-8', Uint8Array.of(0x22, 0xff, 0x22), parseError],
    ['a method of Object’s', '{"jsonrpc":"2.0","method":"__proto__","id":1}', { error: { code: -32601 } }],
  ]
  for (const [name, request, answer] of cases) {
    it(name, async () => expect(await server()(request)).toMatchObject(answer as object))
  }

  it('tells strangers nothing about an unforeseen error', async () => {
    const rpc = createJsonRpc(
      { messageBytes: 4096, batchRequests: 6 },
      { methods: exampleMethods(), toErrorObject: (error) => toErrorObject(error, 'test') },
    )
    const answer = await rpc(new TextEncoder().encode('{"jsonrpc":"2.0","method":"fail","id":1}'), undefined)
    const text = new TextDecoder().decode(answer)
    expect(JSON.parse(text)).toMatchObject({ error: { code: -32603, message: 'Internal error' } })
    expect(text).not.toContain('secret')
  })

  it('answers any bytes and any JSON with a response or with nothing', async () => {
    const ask = server({ messageBytes: 4096, batchRequests: 6 })
    const requestLike = fc.record(
      {
        jsonrpc: fc.oneof(fc.constant('2.0'), fc.jsonValue()),
        method: fc.oneof(fc.constantFrom('sum', 'get_data', 'fail', 'constructor'), fc.jsonValue()),
        params: fc.jsonValue(),
        id: fc.jsonValue(),
      },
      { requiredKeys: [] },
    )
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      requestLike.map((value) => JSON.stringify(value)),
      fc.array(requestLike, { maxLength: 8 }).map((value) => JSON.stringify(value)),
    )
    const bytes = fc.oneof(
      text.map((value) => new TextEncoder().encode(value)),
      fc.uint8Array({ maxLength: 200 }),
    )
    await fc.assert(
      fc.asyncProperty(bytes, async (message) => {
        const answer = await ask(message)
        for (const one of answer === undefined ? [] : [answer].flat()) {
          expect(one).toMatchObject({ jsonrpc: '2.0' })
          expect(Object.keys(one as object)).toContain('id')
          expect('result' in (one as object)).not.toBe('error' in (one as object))
        }
      }),
      { numRuns: 500 },
    )
  })
})

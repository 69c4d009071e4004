import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call } from './testing/client.ts'
import { openWorld, type World } from './testing/world.ts'

describe('JSON-RPC on the management port', () => {
  let world: World
  beforeAll(async () => {
    world = await openWorld({
      deps: {
        rpc: {
          path: '/rpc',
          bodyLimit: 100,
          handleHttp: async (body, token) =>
            body.length === 0 ? undefined : Buffer.from(JSON.stringify({ bytes: body.length, token: token ?? null })),
          handleUpgrade: (_request, socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
        },
      },
    })
  })
  afterAll(() => world.stop())

  const post = (body: string, headers = {}) => call(`${world.management}/rpc`, { method: 'POST', body, headers })
  const upgrade = async (path: string) => {
    const socket = connect(Number(new URL(world.management).port), '127.0.0.1')
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    return answer.toString()
  }

  it('gets bodies with the token, as they are', async () => {
    expect(await post('{}')).toMatchObject({ status: 200, json: { bytes: 2, token: null } })
    expect((await post('{}', { authorization: 'Bearer t' })).json).toEqual({ bytes: 2, token: 't' })
    expect((await post('')).status).toBe(204)
    expect((await post('x'.repeat(101))).status).toBe(413)
  })

  it('gets upgrades of its path, and of no other', async () => {
    expect(await upgrade('/rpc?authorization=t')).toMatch(/^HTTP\/1\.1 101 /)
    expect(await upgrade('/other')).toMatch(/^HTTP\/1\.1 404 /)
  })
})

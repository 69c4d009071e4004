import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call } from './testing/client.ts'
import { openWorld, type World } from './testing/world.ts'

let world: World
beforeAll(async () => {
  world = await openWorld({ limits: { headersTimeoutMs: 50 } })
})
afterAll(() => world.stop())

describe('a connection', () => {
  it.each(['management', 'events'] as const)('whose headers never end is closed on the port of %s', async (port) => {
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(new URL(world[port]).port), '127.0.0.1', () =>
        socket.write('GET / HTTP/1.1\r\nHost:'),
      )
      let text = ''
      socket.on('data', (data) => {
        text += data
      })
      socket.on('close', () => resolve(text))
      socket.on('error', reject)
    })
    expect(answer).toMatch(/^HTTP\/1\.1 408 /)
  })
})

describe('a connection that never sends anything', () => {
  it('does not hold up the stop', async () => {
    const stopped = await openWorld()
    const socket = connect(Number(new URL(stopped.management).port), '127.0.0.1')
    await once(socket, 'connect')
    // A request on another connection: the server has accepted the first one when it answers.
    await call(`${stopped.management}/liveness`)
    const closed = once(socket, 'close')
    await stopped.stop()
    await closed
  })
})

describe('the page of the document', () => {
  it.each(['/docs', '/docs/', '/docs/static/swagger-ui.css'])(
    'answers HEAD at %s as GET, without a body',
    async (path) => {
      const head = await call(world.management + path, { method: 'HEAD' })
      const page = await call(world.management + path)
      expect([head.status, head.text]).toEqual([page.status, ''])
      expect(head.headers.get('content-type')).toBe(page.headers.get('content-type'))
      expect(head.headers.get('x-frame-options')).toBe(page.headers.get('x-frame-options'))
    },
  )
})

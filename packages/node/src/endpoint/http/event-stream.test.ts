import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { call, client, form } from './testing/client.ts'
import type { MemoryProjects } from './testing/memory-projects.ts'
import { loginByWallet } from './testing/siwe.ts'
import { openWorld, smallApplet, type World } from './testing/world.ts'

let world: World
afterEach(() => world.stop())

async function open(limits: NonNullable<Parameters<typeof openWorld>[0]>['limits']) {
  world = await openWorld({ limits })
  const { token, prefix } = await loginByWallet(world.api)
  const builder = client(world, token)
  await builder.post('/project', { name: 'demo' })
  await builder.post('/applet/x/demo', form(smallApplet, {}))
  const device = (await builder.post('/publisher/x/demo', { name: 'd', key: 'd' })).json
  const projects = world.deps.projects as MemoryProjects
  const { observers } = projects.at(projects.byName(`${prefix}demo`)!.key)
  const publish = (body: string) =>
    call(`${world.events}/event/${prefix}demo`, {
      method: 'POST',
      headers: { authorization: String(device.token) },
      body,
    })
  return { token, observers, publish }
}

it('drops a reader that does not read', async () => {
  const { token, observers, publish } = await open({ streamBytes: 1000 })
  const socket = connect(Number(new URL(world.management).port), '127.0.0.1')
  socket.write(
    `GET /srv-applet-mgr/v0/project/x/demo/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: ${token}\r\n\r\n`,
  )
  await once(socket, 'readable')
  expect(observers.size).toBe(1)
  // More than the buffers of the system between the two sockets hold.
  for (let sent = 0; observers.size > 0 && sent < 100; sent++) await publish('x'.repeat(900_000))
  expect(observers.size).toBe(0)
  let text = ''
  for await (const part of socket) text = (text + part).slice(-200)
  expect(text).toContain('"reason":"too slow"')
})

it('opens no more streams than it may, and forgets those that went', async () => {
  const { token, observers } = await open({ streams: 1 })
  const url = `${world.api}/project/x/demo/events`
  const headers = { authorization: token }
  const abort = new AbortController()
  const first = await fetch(url, { headers, signal: abort.signal })
  expect(first.status).toBe(200)
  const second = await call(url, { headers })
  expect([second.status, second.json.key, second.headers.get('retry-after')]).toEqual([429, 'TooManyConnections', '15'])
  abort.abort()
  await expect.poll(() => observers.size).toBe(0)
  const third = await fetch(url, { headers })
  expect(third.status).toBe(200)
  await third.body!.cancel()
})

it('ends streams when the endpoint stops', async () => {
  const { token } = await open({})
  const stream = await fetch(`${world.api}/project/x/demo/events`, { headers: { authorization: token } })
  await world.endpoint.stop()
  expect(await stream.text()).toContain('"reason":"stopping"')
})

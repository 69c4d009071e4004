import { vectorsSuite } from '../../src/endpoint/http/vectors.suite.ts'
import { guest } from '../support/guests.ts'
import { adminPassword, NodeProcess } from '../support/node-process.ts'

vectorsSuite('a whole node', async () => {
  const node = await NodeProcess.start()
  const { api, management, events } = node
  return { api, management, events, adminPassword, applet: guest('rust_log'), stop: () => node[Symbol.asyncDispose]() }
})

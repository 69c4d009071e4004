import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { request } from '../support/management.ts'
import { NodeProcess } from '../support/node-process.ts'

/** What a node tells strangers of itself. */
describe('a node', () => {
  let broker: NodeProcess
  let node: NodeProcess

  beforeAll(async () => {
    broker = await NodeProcess.start()
    const chains = [{ chainID: 77, name: 'private', endpoint: 'http://127.0.0.1:9/v3/SECRETKEY' }]
    node = await NodeProcess.start({
      flags: ['--mqtt-broker', broker.mqtt],
      env: { W3BSTREAM_CHAINS: JSON.stringify(chains) },
    })
  })
  afterAll(async () => {
    await node[Symbol.asyncDispose]()
    await broker[Symbol.asyncDispose]()
  })

  it('says how each of its parts is', async () => {
    const health = async (of: NodeProcess) => (await request(`${of.management}/liveness`)).json
    const parts = { node: 'ok', database: 'ok', executor: 'ok', mqtt: 'ok' }
    expect(await health(broker)).toEqual(parts)
    await expect.poll(() => health(node)).toEqual({ ...parts, 'mqtt-broker': 'ok' })
    await broker.stop()
    await expect.poll(() => health(node)).toEqual({ ...parts, 'mqtt-broker': expect.stringMatching(/^not connected/) })
  })

  it('names the same source in errors of HTTP and JSON-RPC', async () => {
    type Sourced = { sources: string[] }
    const refused = await request<Sourced>(`${node.api}/project/datalist`)
    const call = { jsonrpc: '2.0', id: 1, method: 'w3b_getProject', params: {} }
    const init = { method: 'POST', body: JSON.stringify(call) }
    const { json } = await request<{ error: { data: Sourced } }>(`${node.management}/rpc`, init)
    expect(refused.json.sources).toHaveLength(1)
    expect(json.error.data.sources).toEqual(refused.json.sources)
  })

  it('shows endpoints of its operator without what follows the host, public ones whole', async () => {
    const { json } = await request<{ clients: string }>(`${node.api}/configuration/eth_client`)
    const clients = JSON.parse(json.clients) as Record<string, string>
    expect(clients['77']).toBe('http://127.0.0.1:9')
    expect(clients['42161']).toBe('https://arb1.arbitrum.io/rpc')
  })
})

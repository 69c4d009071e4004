import { chmod, mkdtemp } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { run, serve } from '../testing/run.ts'
import { checkClock, checkDataDir, checkNodeVersion, judgeDisk } from './machine.ts'
import { checkChain, checkLiveness, checkPort } from './network.ts'

const directory = () => mkdtemp(join(tmpdir(), 'w3bstream-doctor-'))

describe('doctor', () => {
  it.each([
    ['v24.0.0', 'ok'],
    ['v20.19.1', 'fail'],
  ])('judges Node.js %s', (version, state) => {
    expect(checkNodeVersion(version).state).toBe(state)
  })

  it('judges the clock by itself, and by the node', () => {
    const now = Date.UTC(2026, 10, 22)
    expect(checkClock(0, null).state).toBe('fail')
    expect(checkClock(now, new Date(now + 1000).toUTCString()).state).toBe('ok')
    expect(checkClock(now, new Date(now + 60_000).toUTCString()).state).toBe('warn')
  })

  it('judges free space', () => {
    expect([1e6, 5e8, 1e12].map((bytes) => judgeDisk(bytes).state)).toEqual(['fail', 'warn', 'ok'])
  })

  it('judges the data directory by its mode, and one that is not there by its parent', async () => {
    const path = await directory()
    await chmod(path, 0o700)
    expect((await checkDataDir(path)).state).toBe('ok')
    expect((await checkDataDir(join(path, 'a/b'))).state).toBe('ok')
    await chmod(path, 0o755)
    expect(await checkDataDir(path)).toMatchObject({ state: 'warn', fix: `chmod 700 ${path}` })
  })

  it('tells a free port from one that is taken', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    expect((await checkPort('p', '127.0.0.1', port, false)).state).toBe('fail')
    expect((await checkPort('p', '127.0.0.1', port, true)).state).toBe('ok')
    await new Promise((resolve) => server.close(resolve))
    expect((await checkPort('p', '127.0.0.1', port, false)).state).toBe('ok')
    expect((await checkPort('p', '192.0.2.1', port, false)).state).toBe('fail')
  })

  it('asks the node and the chains', async () => {
    const server = await serve({
      'GET /liveness': { json: { database: 'ok', chain: 'unreachable' } },
      'POST /': { json: { jsonrpc: '2.0', id: 1, result: '0x7a69' } },
    })
    expect(await checkLiveness(server.url)).toMatchObject({ running: true, finding: { state: 'fail' } })
    expect((await checkChain({ chainID: 31337, name: 'a', endpoint: server.url })).state).toBe('ok')
    expect((await checkChain({ chainID: 1, name: 'a', endpoint: server.url })).state).toBe('fail')
    server.close()
    expect(await checkLiveness('http://127.0.0.1:1')).toMatchObject({ running: false, finding: { state: 'warn' } })
    expect((await checkChain({ chainID: 1, name: 'a', endpoint: 'http://127.0.0.1:1' })).state).toBe('warn')
  })

  it('fails as a whole when the configuration is wrong, naming each mistake', async () => {
    const { code, out } = await run(['doctor', '--workers', '0', '--http-port', 'x', '--json'])
    expect(code).toBe(1)
    expect(JSON.parse(out)).toMatchObject({ ok: false })
    expect(JSON.parse(out).findings.filter(({ state }: { state: string }) => state === 'fail')).toHaveLength(2)
  })
})

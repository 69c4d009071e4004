import { createServer } from 'node:net'
import { builtInChainHint, type ChainEntry } from './chains.ts'
import { type Finding, fail, ok, warn } from './check.ts'

export interface Liveness {
  readonly running: boolean
  readonly finding: Finding
  /** The node's clock, as its answer's `Date` header has it. */
  readonly date: string | null
}

/** Asks the node how its parts are. */
export async function checkLiveness(url: string): Promise<Liveness> {
  const name = 'node'
  try {
    const response = await fetch(`${url}/liveness`, { signal: AbortSignal.timeout(5000) })
    const parts: unknown = await response.json()
    const date = response.headers.get('date')
    const sick = Object.entries(parts ?? {}).filter(([, state]) => state !== 'ok')
    if (response.ok && sick.length === 0) return { running: true, date, finding: ok(name, `answers at ${url}`) }
    const detail = sick.map(([part, state]) => `${part}: ${state}`).join('; ') || `answers ${response.status}`
    return { running: true, date, finding: fail(name, `${url} ${detail}`, 'look at the log of the node') }
  } catch {
    const finding = warn(name, `none answers at ${url}`, 'start one with "w3bstream start", or name one with --url')
    return { running: false, date: null, finding }
  }
}

/** Whether a port can be had; by whom it is taken, the running node or a stranger. */
export async function checkPort(name: string, host: string, port: number | 'off', running: boolean): Promise<Finding> {
  if (port === 'off') return ok(name, 'off')
  if (port === 0) return ok(name, 'any free port')
  const reason = await tryListen(host, port)
  if (reason === undefined) return ok(name, `${host}:${port} is free`)
  if (reason === 'EADDRINUSE')
    return running
      ? ok(name, `${host}:${port} is in use, probably by the running node`)
      : fail(name, `${host}:${port} is taken by another program`, 'stop it, or choose another port')
  if (reason === 'EACCES') return fail(name, `${host}:${port} needs more rights`, 'choose a port from 1024 up')
  return fail(name, `${host}:${port}: ${reason}`, 'choose an address of this machine')
}

function tryListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}

/** Asks a chain's endpoint which chain it is. */
export async function checkChain({ chainID, name, endpoint }: ChainEntry): Promise<Finding> {
  const title = `chain ${name}`
  const place = URL.canParse(endpoint) ? new URL(endpoint).host : endpoint
  try {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] }),
      signal: AbortSignal.timeout(5000),
    })
    const { result } = (await response.json()) as { result?: string }
    if (chainID && Number(result) !== chainID)
      return fail(title, `${place} says it is chain ${Number(result)}, not ${chainID}`, builtInChainHint)
    return ok(title, `${place} answers`)
  } catch (error) {
    const { code, message } = ((error as Error).cause ?? error) as { code?: string; message: string }
    return warn(title, `${place} does not answer (${code ?? message})`, builtInChainHint)
  }
}

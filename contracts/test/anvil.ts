import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** A development chain of its own process. */
export interface Anvil {
  readonly url: string
  readonly port: number
  readonly chainId: number
  /** Calls a JSON-RPC method, `evm_*` and `anvil_*` included. */
  rpc(method: string, ...params: unknown[]): Promise<unknown>
  stop(): Promise<void>
}

export interface AnvilOptions {
  /** @default a free one */
  readonly port?: number
  /** @default 31337 */
  readonly chainId?: number
  /** Further flags, such as `--no-mining` or `--hardfork berlin`. */
  readonly flags?: readonly string[]
}

/** Accounts that every anvil funds with 10,000 ether: of the mnemonic `test test … junk`, known to everyone. */
export const devAccounts = [
  {
    address: '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266',
    privateKey: '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
  },
  {
    address: '0x70997970C51812dc3A010C7d01b50e0d17dc79C8',
    privateKey: '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d',
  },
  {
    address: '0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC',
    privateKey: '0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a',
  },
] as const

/** Starts anvil and resolves when it answers. It ends with `stop`, at the latest with this process. */
export async function startAnvil(options: AnvilOptions = {}): Promise<Anvil> {
  const chainId = options.chainId ?? 31337
  const flags = ['--port', `${options.port ?? 0}`, '--chain-id', `${chainId}`, ...(options.flags ?? [])]
  const child = spawn(binary(), flags, { stdio: ['ignore', 'pipe', 'pipe'] })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const port = await listening(child)
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    port,
    chainId,
    rpc: (method, ...params) => rpc(url, method, params),
    async stop() {
      process.removeListener('exit', kill)
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** The program itself: the package's launcher would be a second process, which does not take its child with it. */
function binary(): string {
  const require = createRequire(import.meta.url)
  const system = process.platform === 'win32' ? 'win32' : process.platform
  const processor = process.arch === 'x64' ? 'amd64' : process.arch
  const launcher = createRequire(require.resolve('@foundry-rs/anvil/bin.mjs'))
  const home = dirname(launcher.resolve(`@foundry-rs/anvil-${system}-${processor}/package.json`))
  return join(home, 'bin', process.platform === 'win32' ? 'anvil.exe' : 'anvil')
}

/** The port, once anvil has said that it listens there. */
function listening(child: ChildProcess): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  let said = ''
  const hear = (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-20_000)
    const port = /Listening on \S+:(\d+)/.exec(said)?.[1]
    if (port !== undefined) resolve(Number(port))
  }
  // Both pipes are read on afterwards: a full one would stop the program.
  child.stdout?.on('data', hear)
  child.stderr?.on('data', hear)
  child.once('error', reject)
  child.once('exit', (code) => reject(new Error(`anvil ended with ${code}: ${said}`)))
  return promise
}

async function rpc(url: string, method: string, params: readonly unknown[]): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  const { result, error } = (await answer.json()) as { result?: unknown; error?: { message: string } }
  if (error) throw new Error(`${method}: ${error.message}`)
  return result
}
